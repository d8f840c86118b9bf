#include "exchange/advice.h"

#include <string.h>

#include "test.h"

TEST(every_failure_that_a_server_or_the_proxy_is_to_blame_for_comes_with_advice)
{
    for (int status = 0; status < STATUS_COUNT; status++)
        if (status_http((enum status)status) >= 500 && status != STATUS_BAD_TRANSFER_CODING && status != STATUS_BAD_VERSION)
            assert_non_null(advice_for((enum status)status));
    assert_null(advice_for(STATUS_OK));
    assert_null(advice_for(STATUS_CLIENT_ABORTED));
    assert_null(advice_for(STATUS_COUNT));
}

TEST(advice_on_a_refused_connection_depends_on_where_the_server_is)
{
    const struct server here = {.host = S("127.0.0.1")}, named = {.host = S("LocalHost")}, six = {.host = S("::1")},
                        elsewhere = {.host = S("10.0.0.1")}, file = {.host = S("/run/a"), .unix_socket = true};
    const struct server *const ours[] = {&here, &named, &six};
    for (size_t i = 0; i < 3; i++) {
        assert_null(strstr(advice_for_server(STATUS_UPSTREAM_REFUSED, ours[i]), "0.0.0.0"));
        assert_non_null(strstr(advice_for_server(STATUS_UPSTREAM_REFUSED, ours[i]), "on this port"));
    }
    assert_non_null(strstr(advice_for_server(STATUS_UPSTREAM_REFUSED, &file), "socket"));
    assert_ptr_equal(advice_for_server(STATUS_UPSTREAM_REFUSED, &elsewhere), advice_for(STATUS_UPSTREAM_REFUSED));
    assert_ptr_equal(advice_for_server(STATUS_UPSTREAM_REFUSED, NULL), advice_for(STATUS_UPSTREAM_REFUSED));
    assert_ptr_equal(advice_for_server(STATUS_UPSTREAM_TIMEOUT, &here), advice_for(STATUS_UPSTREAM_TIMEOUT));
}

TEST(advice_on_a_refused_connection_names_the_usual_mistake_of_containers)
{
    assert_non_null(strstr(advice_for(STATUS_UPSTREAM_REFUSED), "0.0.0.0"));
}
