import type { ReactNode } from 'react';
import type { Problem } from '../api/client.js';
import type { Answer } from '../api/use-answer.js';
import { addressOf } from '../router.js';

const GOOD = new Set([
  'active',
  'trialing',
  'granted',
  'applied',
  'leading',
  'live',
  'holds',
  'in_force',
  'paid',
]);
const BAD = new Set([
  'unpaid',
  'canceled',
  'failed',
  'faulted',
  'malformed',
  'invalid_signature',
  'unavailable',
]);

/** A word of state. The colour repeats what the word says. */
export function Badge({ word }: { readonly word: string }) {
  const tone = GOOD.has(word) ? 'good' : BAD.has(word) ? 'bad' : 'plain';
  return <span className={`badge ${tone}`}>{word.replaceAll('_', ' ')}</span>;
}

/** A time in the words of the reader's place, with the exact one in UTC beside it for who points at it. */
export function Time({ at }: { readonly at: string | null | undefined }) {
  if (at === null || at === undefined) return <span className="faint">never</span>;
  return (
    <time dateTime={at} title={at}>
      {new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })}
    </time>
  );
}

export function Panel({
  title,
  children,
  aside,
}: {
  readonly title: string;
  readonly children: ReactNode;
  readonly aside?: ReactNode;
}) {
  const id = `panel-${title.toLowerCase().replaceAll(/\W+/g, '-')}`;
  return (
    <section className="panel" aria-labelledby={id}>
      <div className="panel-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

export function ProblemNote({ problem }: { readonly problem: Problem }) {
  return (
    <p role="alert" className="problem">
      {problem.message} <code>{problem.code}</code>
    </p>
  );
}

/** What is shown of an answer: that it is awaited, what went wrong, or `children` of its body. */
export function Shown<Body>({
  answer,
  children,
}: {
  readonly answer: Answer<Body>;
  readonly children: (body: Body) => ReactNode;
}) {
  const { body, problem } = answer;
  return (
    <>
      {problem !== null && <ProblemNote problem={problem} />}
      {body === null ? problem === null && <p className="faint">Reading…</p> : children(body)}
    </>
  );
}

export function UserLink({ userId }: { readonly userId: string }) {
  return <a href={addressOf({ page: 'user', userId })}>{userId}</a>;
}

export function Table({
  caption,
  columns,
  children,
}: {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <div className="scroll" tabIndex={0}>
      <table>
        <caption className="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function Facts({ of }: { readonly of: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="facts">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
