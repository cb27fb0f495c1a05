/** The least that a proxy in Node does: what comes is piped on. Argument: the upstream's address. What the gateway adds is set beside what it adds. */
import { Agent, createServer, request } from 'node:http'

const { hostname, port } = new URL(process.argv[2] ?? '')
const agent = new Agent({ keepAlive: true })
const server = createServer((req, res) => {
  const { method, url: path, headers } = req
  const sent = request({ host: hostname, port, method, path, headers, agent }, (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
    answer.pipe(res)
  })
  sent.on('error', () => res.destroy())
  req.pipe(sent)
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}` })}\n`)
})
