#include "exchange/graph.h"

const struct router_extras router_no_extras = {0};

static struct loop *retirement;

void graph_retire_on(struct loop *loop)
{
    retirement = loop;
}

static void destroy(struct message *message)
{
    struct graph *graph = container_of(message, struct graph, retirement);
    graph->destroy(graph);
}

void graph_retire(struct graph *graph)
{
    graph->retirement.deliver = destroy;
    if (retirement != NULL)
        loop_post(retirement, &graph->retirement);
    else
        graph->destroy(graph);
}
