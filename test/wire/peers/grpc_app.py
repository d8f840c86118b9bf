#!/usr/bin/python3
"""A gRPC server of grpcio's, in plain HTTP/2 on PORT: messages are bytes, so no schema is compiled. /test.Echo/Say gives a message
back, /Count as many as its first byte says, /Fail the status NOT_FOUND."""
import sys
from concurrent import futures

import grpc


def count(request, context):
    for number in range(request[0]):
        yield bytes([number])


def fail(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")


METHODS = {"/test.Echo/Say": grpc.unary_unary_rpc_method_handler(lambda request, context: request),
           "/test.Echo/Count": grpc.unary_stream_rpc_method_handler(count),
           "/test.Echo/Fail": grpc.unary_unary_rpc_method_handler(fail)}


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        return METHODS.get(details.method)


server = grpc.server(futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers((Handler(),))
server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()
