/* What a configuration says of the process among others: who starts it, finds it and stops it. Lives in the model's arena; read-only. */
#ifndef MODEL_PROCESS_H
#define MODEL_PROCESS_H

#include "base/option.h"

struct process_config {
    const struct node *origin;
    bool daemon;                    /* it goes on in the background once it listens */
    struct str pid_file;            /* empty: none */
    bool quick_stop;                /* SIGTERM and SIGINT stop at once; SIGQUIT lets requests end */
    bool exclusive_ports;           /* another process that listens on an address is an error, not a warning */
    int64_t open_files;             /* descriptors that it may have; 0: as it was started */
    struct str working_directory;   /* empty: where it was started */
};

extern const struct option_table process_table;

#endif
