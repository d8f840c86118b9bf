#include "net/traffic.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list all = {&all, &all};

void traffic_join(struct traffic *traffic)
{
    pthread_mutex_lock(&lock);
    list_append(&all, &traffic->link);
    pthread_mutex_unlock(&lock);
}

void traffic_leave(struct traffic *traffic)
{
    if (traffic->link.next == NULL)
        return;      /* it never came */
    pthread_mutex_lock(&lock);
    list_remove(&traffic->link);
    pthread_mutex_unlock(&lock);
}

struct traffic_sum traffic_sum(void)
{
    struct traffic_sum sum = {.open = 0};
    pthread_mutex_lock(&lock);
    LIST_FOREACH(&all, it) {
        const struct traffic *traffic = container_of(it, struct traffic, link);
        sum.accepted += traffic_value(&traffic->accepted);
        sum.requests += traffic_value(&traffic->requests);
        sum.open += traffic_value(&traffic->open);
        sum.running += traffic_value(&traffic->running);
        sum.reading += traffic_value(&traffic->reading);
    }
    pthread_mutex_unlock(&lock);
    return sum;
}
