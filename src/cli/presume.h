/* What a file refers to and another one has, which is not here: it is taken to be there, so that only this file's own mistakes
 * are told. For `check`. */
#ifndef CLI_PRESUME_H
#define CLI_PRESUME_H

#include "model/model.h"

/* An entrypoint of this name, unless there is one. */
void presume_entry(struct model *model, struct str name, struct diag *diag);
/* Those that these routers name. */
void presume_entries(struct model *model, const struct objects *routers, struct diag *diag);
/* The services api@internal, dashboard@internal and prometheus@internal. */
void presume_internals(struct model *model, struct diag *diag);
/* The certificatesResolvers that these routers name. */
void presume_resolvers(struct model *model, const struct objects *routers, struct diag *diag);
/* What these routers refer to in files that are not here ("auth@file") is not looked at: the reference goes. Gives how many did. */
size_t presume_file_objects(const struct objects *routers);

#endif
