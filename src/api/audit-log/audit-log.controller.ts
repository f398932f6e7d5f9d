import { Controller, Get, Param, UseGuards } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { MalformedProofError } from '../../audit/merkle/errors.js';
import { entryOf } from '../../audit/merkle/leaf.js';
import { parseTilePath, TILE_WIDTH } from '../../audit/merkle/tiles.js';
import { PublishedTree } from '../../audit/tree/published-tree.js';
import { Describe } from '../../http/describe.js';
import { ProblemError } from '../../http/problem.js';
import { BytesReply, Reply } from '../../http/reply.js';
import { NoQueryGuard } from '../../http/validation.js';
import { OpenReads } from './open-reads.js';

const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';
const PUBLIC = 'public, max-age=2';
const PROBLEMS = ['not_found', 'unsupported_parameter', 'too_many_requests', 'database_unavailable'] as const;
const ROOT = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';
const SIGNED =
  '— example.com/audit/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n';
/** A bundle of one entry, with its length of 121 bytes before it. */
const ENTRIES = `\u0000y${entryOf(41, { id: '9dddd3f5-9d66-4c3b-a780-ff1065c30129', hash: '0123456789abcdef'.repeat(4) })}`;
const CHECKPOINT = `example.com/audit/log\n20852163\n${ROOT}\n\n${SIGNED}`;

/** How the document of the routes describes a checkpoint. */
export const CHECKPOINT_OK = {
  description: 'A signed note: origin, size and root; signed as the log, and with the time',
  schema: z.string(),
  type: 'text/plain',
  example: CHECKPOINT,
} as const;

const CHECKPOINT_ROUTE = {
  summary: 'The newest signed checkpoint of the log (C2SP tlog-checkpoint)',
  ok: CHECKPOINT_OK,
  problems: [...PROBLEMS],
  access: 'open',
} as const;
const TILE_ROUTE = {
  summary: 'A tile of the Merkle tree of the log, or a bundle of its entries (C2SP tlog-tiles)',
  ok: {
    description:
      'Hashes of 32 bytes, one behind the other; of `entries/…` the entries, each with its length before it',
    schema: z.string(),
    type: BYTES,
    example: ENTRIES,
  },
  problems: [...PROBLEMS, 'malformed_url'],
  access: 'open',
} as const;
const PROOF_ROUTE = {
  summary: 'A proof that an event is in the log, with its newest checkpoint (C2SP tlog-proof)',
  ok: {
    description: 'The hashes beside the way from the leaf to the root, and the checkpoint',
    schema: z.string(),
    type: 'text/plain',
    example: `c2sp.org/tlog-proof@v1\nindex 73894\n${ROOT}\n\n${CHECKPOINT}`,
  },
  problems: [...PROBLEMS, 'malformed_url'],
  access: 'open',
} as const;

const TILE_PATH = {
  name: 'path',
  type: String,
  description: '`{level}/{index}`, or `entries/{index}`, with `.p/{width}` of a partial tile',
} as const;
const TREE = {
  name: 'tree',
  type: Number,
  description: '2 and higher: of a log that was adopted, under the origin with this number behind it',
} as const;
const INDEX = { name: 'index', type: Number, description: 'place among the events, from 0' } as const;

/** The Merkle tree of the log, for everyone: it holds nothing of anybody. */
@ApiTags('Audit')
@Controller('audit/log')
@UseGuards(NoQueryGuard)
export class AuditLogController {
  readonly #reads = new OpenReads();

  constructor(private readonly published: PublishedTree) {}

  @Get('checkpoint')
  @Describe(CHECKPOINT_ROUTE)
  checkpoint(): Promise<Reply> {
    return this.#checkpoint(1);
  }

  @Get('tile/*path')
  @ApiParam(TILE_PATH)
  @Describe(TILE_ROUTE)
  tile(@Param('path') path: string | readonly string[]): Promise<BytesReply> {
    return this.#tile(1, path);
  }

  @Get('proof/:index')
  @ApiParam(INDEX)
  @Describe(PROOF_ROUTE)
  proof(@Param('index') index: string): Promise<Reply> {
    return this.#proof(1, index);
  }

  @Get(':tree/checkpoint')
  @ApiParam(TREE)
  @Describe({ ...CHECKPOINT_ROUTE, problems: [...PROBLEMS, 'malformed_url'] })
  laterCheckpoint(@Param('tree') tree: string): Promise<Reply> {
    return this.#checkpoint(laterTree(tree));
  }

  @Get(':tree/tile/*path')
  @ApiParam(TREE)
  @ApiParam(TILE_PATH)
  @Describe(TILE_ROUTE)
  laterTile(
    @Param('tree') tree: string,
    @Param('path') path: string | readonly string[],
  ): Promise<BytesReply> {
    return this.#tile(laterTree(tree), path);
  }

  @Get(':tree/proof/:index')
  @ApiParam(TREE)
  @ApiParam(INDEX)
  @Describe(PROOF_ROUTE)
  laterProof(@Param('tree') tree: string, @Param('index') index: string): Promise<Reply> {
    return this.#proof(laterTree(tree), index);
  }

  async #checkpoint(tree: number): Promise<Reply> {
    return newestReply(await this.#reads.run(() => this.published.checkpoint(tree)), PUBLIC);
  }

  async #tile(tree: number, path: string | readonly string[]): Promise<BytesReply> {
    const tile = tileOf([path].flat().join('/'));
    const bytes = await this.#reads.run(() => this.published.tile(tree, tile));
    if (bytes === null) throw notFound();
    const isFull = tile.width === TILE_WIDTH;
    const headers = {
      'content-type': BYTES,
      'cache-control': isFull ? 'public, max-age=31536000, immutable' : 'public, max-age=86400',
    };
    return new BytesReply(200, headers, bytes);
  }

  async #proof(tree: number, index: string): Promise<Reply> {
    if (!/^(0|[1-9]\d{0,14})$/.test(index)) throw notFound();
    return newestReply(await this.#reads.run(() => this.published.proof(tree, Number(index))), PUBLIC);
  }
}

/** What goes with the newest checkpoint: nobody keeps it for long. @throws ProblemError `not_found` where there is none */
export function newestReply(body: string | null, keptBy: 'public, max-age=2' | 'private, no-store'): Reply {
  if (body === null) throw notFound();
  return new Reply(200, { 'content-type': TEXT, 'cache-control': keptBy }, body);
}

function laterTree(tree: string): number {
  if (!/^([2-9]|[1-9]\d{1,5})$/.test(tree)) throw notFound();
  return Number(tree);
}

function tileOf(path: string): ReturnType<typeof parseTilePath> {
  try {
    return parseTilePath(path);
  } catch (error) {
    if (error instanceof MalformedProofError) throw notFound();
    throw error;
  }
}

function notFound(): ProblemError {
  return new ProblemError('not_found', 'The newest checkpoint of the log has none such.');
}
