import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { parseCheckpointText, parseHash } from '../../src/audit/merkle/checkpoint.js';
import { FalseProofError } from '../../src/audit/merkle/errors.js';
import {
  cosignText,
  formatVerifierKey,
  publicBytesOf,
  type VerifierKey,
  verifierKey,
} from '../../src/audit/merkle/note-keys.js';
import { checkConsistency, type TreeHead } from '../../src/audit/merkle/proofs.js';
import { formatSignature, parseNote } from '../../src/audit/merkle/signed-note.js';
import { EMPTY_ROOT } from '../../src/audit/merkle/tree-hash.js';

/** A witness as C2SP tlog-witness describes one, of any log. */
export class TestWitness {
  readonly #half = generateKeyPairSync('ed25519').privateKey;
  readonly key: VerifierKey = verifierKey('witness.example/w1', 'cosignature', publicBytesOf(this.#half));
  /** What it signed last. */
  known: TreeHead = { size: 0, root: EMPTY_ROOT };
  /** What it signs with: its own key, unless a test says otherwise. */
  signs: KeyObject = this.#half;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<TestWitness> {
    const server = createServer();
    const witness = new TestWitness(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const asked = `${request.method} ${request.url}`;
        const { status, body } = witness.#answer(asked, Buffer.concat(chunks).toString());
        response.writeHead(status, { 'content-type': 'text/plain' }).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return witness;
  }

  /** As `AUDIT_WITNESSES` names it. */
  get setting(): string {
    const bound = this.server.address();
    return `${formatVerifierKey(this.key)} http://127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}/w`;
  }

  close(): Promise<unknown> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  #answer(asked: string, body: string): { readonly status: number; readonly body: string } {
    if (asked !== 'POST /w/add-checkpoint') return { status: 404, body: '' };
    const split = body.indexOf('\n\n');
    const [old, ...proof] = body.slice(0, split).split('\n');
    const { text } = parseNote(body.slice(split + 2));
    const checkpoint = parseCheckpointText(text);
    if (old !== `old ${this.known.size}`) return { status: 409, body: `${this.known.size}\n` };
    try {
      checkConsistency(this.known, checkpoint, proof.map(parseHash));
    } catch (error) {
      if (error instanceof FalseProofError) return { status: 422, body: '' };
      throw error;
    }
    this.known = checkpoint;
    const { name, id } = this.key;
    const signature = cosignText(text, this.signs, 1_793_525_402);
    const others = `— other.example ${Buffer.alloc(76).toString('base64')}\n`;
    return { status: 200, body: `${others}${formatSignature({ name, id, signature })}` };
  }
}
