import { get } from 'node:http';
import { median, throughputRow, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { expectEqual } from '../support/expect-equal.js';
import type { FilledService } from '../support/fill-users.js';
import { pageRows } from '../support/page-rows.js';
import { withClient } from '../support/service-log.js';

const PAGE = 2_000;
const LEAST = 0.5;
const AIM = 1;
const NEWLINE = 10;

/** Events per second of the log as an auditor reads it over HTTP, beside paging the same rows with the driver. */
export async function benchAuditLog({ effort, longLogs, say }: BenchContext): Promise<WorkReport> {
  const service = await longLogs.of(Number(process.env.AUDIT_LOG_EVENTS ?? effort.auditLogEvents));
  const { databaseUrl, users } = service;
  await readLog(service); // this look is recorded, those of the rounds are known
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < effort.rounds; round += 1) {
    const rows = await perSecond(() => withClient(databaseUrl, (client) => pageRows(client, '0', PAGE)));
    const lines = await perSecond(() => readLog(service));
    expectEqual('the log over HTTP', lines.events, rows.events);
    theirs.push(rows.rate);
    ours.push(lines.rate);
    say(`  ${rows.events} events: ${Math.round(lines.rate)}/s over HTTP, ${Math.round(rows.rate)}/s with pg`);
  }
  return {
    rows: [
      throughputRow({
        work: 'audit log as NDJSON',
        ours: median(ours),
        against: 'paging the same rows with pg',
        theirs: median(theirs),
        least: LEAST,
        aim: AIM,
      }),
    ],
    notes: [{ what: 'audit-log: users', value: String(users) }],
  };
}

async function perSecond(
  read: () => Promise<number>,
): Promise<{ readonly events: number; readonly rate: number }> {
  const began = performance.now();
  const events = await read();
  return { events, rate: events / ((performance.now() - began) / 1_000) };
}

/** Reads the whole log; how many events it has. The last line is none. */
function readLog({ port, headers }: FilledService): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/v1/audit/events', headers, agent: false }, (answer) => {
      let lines = 0;
      answer.on('data', (chunk: Buffer) => {
        for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) lines += 1;
      });
      answer.on('error', reject);
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(lines - 1);
        else reject(new Error(`the log was answered ${answer.statusCode}`));
      });
    }).on('error', reject);
  });
}
