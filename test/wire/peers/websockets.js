// A WebSocket server on node's ws: echoes; /push sends ten messages by itself; /close closes with 4001.
// Prints `port N` when it listens.
const http = require('http');
const { WebSocketServer } = require('ws');

const server = http.createServer((request, response) => response.end('node ' + request.url));
const sockets = new WebSocketServer({ server, maxPayload: 64 << 20 });

sockets.on('connection', (socket, request) => {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    if (request.url === '/push')
        for (let number = 0; number < 10; number++) socket.send(String(number));
    if (request.url === '/close') socket.close(4001, 'as asked');
});

server.listen(Number(process.argv[2] || 0), '127.0.0.1', () => console.log('port ' + server.address().port));
