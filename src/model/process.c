#include "model/process.h"

static const struct option options[] = {
    OPTION(BOOL, struct process_config, daemon, .help = "Go on in the background once it listens: whoever started it gets the exit code then."),
    OPTION_NAMED(STR, struct process_config, pid_file, "pidFile",
                 .help = "A file with the number of the process, from when it listens to its end."),
    OPTION_NAMED(BOOL, struct process_config, quick_stop, "quickStop",
                 .help = "SIGTERM and SIGINT cut what still runs; SIGQUIT lets it end. Without: all three let it end."),
    OPTION_NAMED(BOOL, struct process_config, exclusive_ports, "exclusivePorts",
                 .help = "Do not start where another process listens on the same address. Without: a warning, and both get a part."),
    OPTION_NAMED(INT, struct process_config, open_files, "openFiles", .min = 0, .max = INT32_MAX,
                 .help = "Files and connections that it may have open; 0: as many as it was started with."),
    OPTION_NAMED(STR, struct process_config, working_directory, "workingDirectory",
                 .help = "Where it goes, which is where it leaves a core; empty: it stays."),
};
const struct option_table process_table =
    OPTION_TABLE(struct process_config, options, .summary = "How the process lives beside others.");
