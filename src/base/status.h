/* What can happen at run time: one table. A status reaches people as a reason: in the access log, as a
 * metric label, in the API. The HTTP code is what a client gets when the status ends its request before
 * a response began (0: none fits). Kinds 1 and 3 of errors are assert and struct diag.
 *
 *            name                 HTTP  text */
#define STATUS_TABLE(X) \
    X(OK,                          0, "done") \
    X(AGAIN,                       0, "nothing can be done until the peer is ready") \
    X(END,                         0, "the message or the connection ended as it should") \
    /* the client's request */ \
    X(BAD_REQUEST,               400, "the request is malformed") \
    X(BAD_REQUEST_LINE,          400, "the request line is malformed") \
    X(BAD_FIELD,                 400, "a header field is malformed") \
    X(REPEATED_FIELD,            400, "a header field of which there may be one came more than once") \
    X(BAD_HOST,                  400, "Host is missing, repeated or malformed") \
    X(BAD_LENGTH,                400, "Content-Length is malformed, repeated or beside Transfer-Encoding") \
    X(BAD_CHUNK,                 400, "the chunked body is malformed") \
    X(BAD_TARGET,                400, "the request target is malformed") \
    X(BAD_ENCODED_CHARACTER,     400, "the path holds an encoded character that is not allowed here") \
    X(TARGET_TOO_LONG,           414, "the request line is longer than allowed") \
    X(FIELDS_TOO_LARGE,          431, "the header fields are larger than allowed") \
    X(TOO_MANY_FIELDS,           431, "there are more header fields than allowed") \
    X(BODY_TOO_LARGE,            413, "the request body is larger than allowed") \
    X(BAD_TRANSFER_CODING,       501, "the transfer coding is not known") \
    X(METHOD_NOT_IMPLEMENTED,    501, "the method is not one that a reverse proxy serves") \
    X(TRACE_REFUSED,             405, "TRACE would show the client's own fields to whoever can read a response") \
    X(BAD_VERSION,               505, "the HTTP version is not one that is spoken here") \
    X(BAD_PROXY_HEADER,          400, "the PROXY protocol header is missing or malformed") \
    X(EXPECTATION_FAILED,        417, "the expectation is not one that is known") \
    X(CLIENT_ABORTED,            499, "the client closed the connection before it had its answer") \
    X(CLIENT_HEAD_TIMEOUT,       408, "the client did not finish its request head in time") \
    X(CLIENT_IDLE,                 0, "the client was idle for longer than allowed") \
    X(CLIENT_TOO_SLOW,           408, "the client sent or took less than the minimum in time") \
    /* TLS and HTTP/2 on the client's side */ \
    X(CLIENT_TLS,                  0, "the TLS handshake with the client failed") \
    X(PLAIN_HTTP_ON_TLS,         400, "the request came in plain HTTP, but here HTTPS is spoken") \
    X(CLIENT_CERTIFICATE_BAD,    400, "the client's certificate is not to be trusted") \
    X(CLIENT_CERTIFICATE_MISSING, 400, "the client showed no certificate, which is asked for here") \
    X(MISDIRECTED,               421, "the request's host has other TLS options than the connection was made with") \
    X(H2_PROTOCOL,               400, "the client broke the rules of HTTP/2") \
    X(H2_RAPID_RESET,            429, "the client resets streams faster than allowed") \
    X(H2_FLOOD,                  429, "the client sends more frames that carry nothing than allowed") \
    X(H2_STALLED,                408, "the client granted no room for its responses in time") \
    /* routing and middlewares */ \
    X(NO_ROUTE,                  404, "no router matches the request") \
    X(ROUTER_LEFT_OUT,           404, "the router that matches was left out because of a mistake") \
    X(NO_SERVICE,                503, "the router's service does not exist") \
    X(NO_READY_SERVER,           503, "no server of the service is ready") \
    X(NO_LIVE_SERVER,            502, "every server of the service has failed or is taken out") \
    X(TOO_MANY_WAITING,          503, "more requests wait for a ready server than may") \
    X(MAINTENANCE,               503, "the router or service is under maintenance") \
    X(RATE_LIMITED,              429, "the client asks more often than allowed") \
    X(IN_FLIGHT_LIMITED,         429, "more requests are under way than allowed") \
    X(IP_DENIED,                 403, "the client's address is not allowed") \
    X(REFERER_REFUSED,           403, "the link stands on another site") \
    X(UNAUTHORIZED,              401, "credentials are missing or wrong") \
    X(AUTH_DENIED,               403, "the authentication service refused the request") \
    X(AUTH_UNREACHABLE,          500, "the authentication service gave no answer") \
    X(CIRCUIT_OPEN,              503, "the circuit breaker is open") \
    X(MIDDLEWARE_ANSWERED,         0, "a middleware answered") \
    X(BAD_REWRITE,               400, "the rewritten path would not be a normal one") \
    X(HOST_NOT_ALLOWED,          421, "the host is not one that is allowed here") \
    /* files */ \
    X(FILE_NOT_FOUND,            404, "there is no such file") \
    X(FILE_FORBIDDEN,            403, "the file may not be served") \
    X(FILE_METHOD,               405, "files answer GET and HEAD") \
    X(FILE_RANGE,                416, "the range cannot be satisfied") \
    X(FILE_ERROR,                500, "the file could not be read") \
    /* the server behind */ \
    X(UPSTREAM_UNRESOLVED,       502, "the server's name does not resolve") \
    X(UPSTREAM_REFUSED,          502, "the server refused the connection") \
    X(UPSTREAM_UNREACHABLE,      502, "the server cannot be reached") \
    X(UPSTREAM_CONNECT_TIMEOUT,  504, "the server did not accept the connection in time") \
    X(UPSTREAM_TLS,              502, "the TLS handshake with the server failed") \
    X(UPSTREAM_UNTRUSTED,        502, "the server's certificate is not to be trusted") \
    X(UPSTREAM_TIMEOUT,          504, "the server did not answer in time") \
    X(UPSTREAM_TOO_SLOW,         504, "the server sent or took nothing for longer than allowed") \
    X(UPSTREAM_CLOSED,           502, "the server closed the connection before it answered") \
    X(UPSTREAM_RESET,            502, "the server reset the connection") \
    X(UPSTREAM_BAD_RESPONSE,     502, "the server's response is malformed") \
    X(UPSTREAM_HEAD_TOO_LARGE,   502, "the server's response head is larger than allowed") \
    X(UPSTREAM_TRUNCATED,        502, "the server ended its response before it was whole") \
    X(UPSTREAM_PROTOCOL,         502, "the server switched to a protocol that was not asked for") \
    X(RESPONSE_TOO_LARGE,        500, "the response body is larger than allowed") \
    /* ourselves */ \
    X(OVERLOADED,                503, "there are no resources left for the request") \
    X(OUT_OF_MEMORY,             500, "the request's memory budget is exhausted") \
    X(LOOP_DETECTED,             508, "the request came back to where it was") \
    X(REDIRECT_CYCLE,            500, "the configuration redirects the request inside again and again") \
    X(NO_LOCATION,               500, "the configuration redirects the request to a location that is not there") \
    X(IO_ERROR,                  502, "the connection failed") \
    X(STOPPING,                  503, "the process is stopping") \
    X(INTERNAL,                  500, "something that should not happen did")
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

enum status {
#define X(name, http, text) STATUS_##name,
    STATUS_TABLE(X)
#undef X
    STATUS_COUNT
};

/* "upstream_refused": for logs, labels and the API. */
const char *status_reason(enum status status);
/* "the server refused the connection": for people. */
const char *status_text(enum status status);
/* The code that a client gets for it; 0 when none fits. */
int status_http(enum status status);

#endif
