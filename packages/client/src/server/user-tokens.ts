import { isRecord } from './entitlement-token.js';
import { askJson, type Connection, TenureAnswerError } from './requests.js';
import { userPath } from './user-path.js';

/** A token is asked for anew so long before it ends, in milliseconds. */
const RENEWED_BEFORE_MS = 30_000;

interface Kept {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly ends: number;
}

/** Tokens of users whom the application knows by a session of its own: asked for once, and kept while they hold. */
export class UserTokens {
  readonly #kept = new Map<string, Kept>();
  readonly #asking = new Map<string, Promise<string>>();

  constructor(
    private readonly connection: Connection,
    private readonly most: number,
    /** Whether what is kept still counts. */
    private readonly holds: (token: string) => Promise<boolean>,
  ) {}

  /** A token of this user. Rejects with TenureAnswerError, and as `askJson`, where one is needed and not to be had. */
  async of(userId: string): Promise<string> {
    const kept = this.#kept.get(userId);
    const left = kept === undefined ? 0 : kept.ends - this.connection.clock.now().wall;
    if (kept !== undefined && left > 0 && (await this.holds(kept.token))) {
      if (left > RENEWED_BEFORE_MS) return kept.token;
      // What still holds is not given up for a Tenure that is away.
      return this.#ask(userId).catch(() => kept.token);
    }
    return this.#ask(userId);
  }

  #ask(userId: string): Promise<string> {
    const asking = this.#asking.get(userId);
    if (asking !== undefined) return asking;
    const asked = this.#issue(userId).finally(() => this.#asking.delete(userId));
    this.#asking.set(userId, asked);
    return asked;
  }

  async #issue(userId: string): Promise<string> {
    const path = `${userPath(userId)}/token`;
    const { response, body } = await askJson(this.connection, path, { method: 'POST' });
    if (!isRecord(body) || typeof body.token !== 'string' || typeof body.expiresAt !== 'string') {
      throw new TenureAnswerError(
        `A token was asked for, and answered by ${response.status}`,
        response.status,
      );
    }
    if (this.#kept.size >= this.most) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest);
        break;
      }
    }
    this.#kept.set(userId, { token: body.token, ends: Date.parse(body.expiresAt) });
    return body.token;
  }
}
