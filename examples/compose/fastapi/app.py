from fastapi import FastAPI, Request

app = FastAPI()


@app.get("/health")
def health():
    return {"ok": True}


@app.get("/")
def hello(request: Request):
    """`url` is what the client asked for: Portico tells, and uvicorn believes it."""
    return {"hello": "from FastAPI", "url": str(request.url), "client": request.client.host}
