#!/usr/bin/python3
"""A collector that speaks gRPC, by grpcio: on PORT, each request as a line in FILE (its method, metadata and message). With a third
and fourth argument (certificate, key) it speaks TLS; CODE in the environment is the status of all answers."""
import base64
import json
import os
import sys
from concurrent import futures

import grpc

port, path, *pair = sys.argv[1:]


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        def take(request, context):
            with open(path, "a") as file:
                file.write(json.dumps({"method": details.method, "metadata": dict(context.invocation_metadata()),
                                       "message": base64.b64encode(request).decode()}, default=str) + "\n")
            if "CODE" in os.environ:
                context.abort(grpc.StatusCode[os.environ["CODE"]], "as told")
            return b""
        return grpc.unary_unary_rpc_method_handler(take)


server = grpc.server(futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers((Handler(),))
if pair:
    credentials = grpc.ssl_server_credentials([(open(pair[1], "rb").read(), open(pair[0], "rb").read())])
    server.add_secure_port(f"127.0.0.1:{port}", credentials)
else:
    server.add_insecure_port(f"127.0.0.1:{port}")
server.start()
server.wait_for_termination()
