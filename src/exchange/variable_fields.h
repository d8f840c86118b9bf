/* Values of fields and queries as variables give them; for further families (upstream_http_ and the like). Pure. */
#ifndef EXCHANGE_VARIABLE_FIELDS_H
#define EXCHANGE_VARIABLE_FIELDS_H

#include "http/fields.h"

/* The field of that name ('_' stands for '-', case ignored); several are joined with ", ", cookies with "; ". data NULL: absent. */
struct str variable_of_fields(const struct fields *fields, struct str name, struct arena *arena);
/* The first parameter of that name, case ignored, as it stands in the query; data NULL: absent. */
struct str variable_of_query(struct str query, struct str name);

#endif
