import { createServer, type Server } from 'node:http';

/** What becomes of a request: it is done; refused; or the connection is cut before or after it is done. */
export type MirrorFate = 'done' | 'refused' | 'cut before' | 'cut after';

/** A place that answers GET and takes PUT, as object stores and WebDAV do. */
export class TestMirror {
  /** What is there, by path. */
  readonly files = new Map<string, Buffer>();
  /** Requests that came: `PUT /tile/0/000`. */
  readonly asked: string[] = [];
  /** Decides what becomes of a request, by how many came before it. */
  fate: (before: number) => MirrorFate = () => 'done';

  private constructor(private readonly server: Server) {}

  static async start(): Promise<TestMirror> {
    const server = createServer();
    const mirror = new TestMirror(server);
    server.on('request', (request, response) => {
      const { method = '', url = '' } = request;
      const fate = mirror.fate(mirror.asked.length);
      mirror.asked.push(`${method} ${url}`);
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (fate === 'refused') response.writeHead(503).end('come again');
        else if (fate === 'cut before') request.socket.destroy();
        else {
          const { status, body } = mirror.#do(method, url.slice(1), Buffer.concat(chunks));
          if (fate === 'cut after') request.socket.destroy();
          else response.writeHead(status).end(body);
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return mirror;
  }

  /** As `AUDIT_MIRROR` names it. */
  get url(): string {
    const bound = this.server.address();
    return `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`;
  }

  close(): Promise<unknown> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  #do(method: string, path: string, body: Buffer): { readonly status: number; readonly body: Buffer } {
    if (method === 'PUT') {
      const status = this.files.has(path) ? 204 : 201;
      this.files.set(path, body);
      return { status, body: Buffer.of() };
    }
    const found = method === 'GET' ? this.files.get(path) : undefined;
    return found === undefined ? { status: 404, body: Buffer.of() } : { status: 200, body: found };
  }
}
