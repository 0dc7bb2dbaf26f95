// Node's net module as a peer that knows nothing of winipc:
//   node node_peer.js server PATH           answers everything in capitals, until its client ends
//   node node_peer.js client PATH FILE      sends a line, and writes the line that it gets into FILE
const fs = require('fs');
const net = require('net');

const [role, path, file] = process.argv.slice(2);

function serve() {
  const server = net.createServer((client) => {
    client.on('data', (data) => client.write(String(data).toUpperCase()));
    client.on('end', () => server.close());
  });
  server.listen(path);
}

function ask() {
  let got = '';
  const connection = net.connect(path, () => connection.write('from node\n'));
  connection.on('data', (data) => {
    got += data;
    if (!got.endsWith('\n')) return;
    fs.writeFileSync(file, got);
    connection.end();
  });
}

if (role === 'server') serve();
else ask();
