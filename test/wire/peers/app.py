#!/usr/bin/python3
"""A FastAPI application under uvicorn, as people run them. `app.py PORT [NAME]` (0: any) prints `port N` when it listens, at HOST
of the environment or 127.0.0.1."""
import asyncio
import os
import socket
import sys

import uvicorn
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.websockets import WebSocketDisconnect

NAME = sys.argv[2] if len(sys.argv) > 2 else "app"
app = FastAPI()


@app.get("/")
def root():
    return {"name": NAME, "pid": os.getpid()}


@app.get("/items/{number}")
def item(number: int, q: str = None):
    return {"item": number, "q": q}


@app.api_route("/headers", methods=["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def headers(request: Request):
    return {"method": request.method, "url": str(request.url), "client": request.client.host,
            "headers": [[key.decode("latin-1"), value.decode("latin-1")] for key, value in request.headers.raw]}


@app.post("/upload")
async def upload(request: Request):
    size = 0
    async for part in request.stream():
        size += len(part)
    return {"size": size}


@app.post("/echo")
async def echo(request: Request):
    return Response(await request.body(), media_type="application/octet-stream")


@app.get("/download")
def download(size: int, chunked: bool = False):
    block = bytes(1 << 16)

    async def blocks():
        left = size
        while left > 0:
            yield block[:left]
            left -= len(block)
    return StreamingResponse(blocks(), media_type="application/octet-stream",
                             headers={} if chunked else {"Content-Length": str(size)})


@app.get("/sse")
async def sse(count: int = 3, seconds: float = 0.0):
    async def events():
        for number in range(count):
            yield f"data: {number}\n\n"
            await asyncio.sleep(seconds)
    return StreamingResponse(events(), media_type="text/event-stream")


@app.get("/slow")
async def slow(seconds: float):
    await asyncio.sleep(seconds)
    return {"slept": seconds, "name": NAME}


@app.api_route("/status/{code}", methods=["GET", "POST", "HEAD"])
def status(code: int):
    return Response(status_code=code) if code in (204, 304) else PlainTextResponse(f"status {code}", status_code=code)


@app.get("/cookies")
def cookies():
    response = JSONResponse({})
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


@app.websocket("/ws")
async def websocket(socket_: WebSocket):
    await socket_.accept()
    try:
        while True:
            message = await socket_.receive()
            if message["type"] == "websocket.disconnect":
                return
            if message.get("text") is not None:
                await socket_.send_text(message["text"])
            else:
                await socket_.send_bytes(message["bytes"])
    except WebSocketDisconnect:
        pass


def main():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((os.environ.get("HOST", "127.0.0.1"), int(sys.argv[1])))
    listener.listen(512)
    print(f"port {listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", ws_max_size=64 << 20)).run(sockets=[listener])


main()
