#include "exchange/graph.h"

const struct router_extras router_no_extras = {0};
