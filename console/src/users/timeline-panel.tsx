import { useState } from 'react';
import type { History, HistoryItem } from '../api/types.js';
import { useAnswer } from '../api/use-answer.js';
import { Badge, Panel, Shown, Time } from '../parts/parts.js';

/** Every snapshot that ever held, the newest first. Looking at it is recorded, as every look at the audit is. */
export function TimelinePanel({
  userId,
  version,
}: {
  readonly userId: string;
  readonly version: number | null;
}) {
  const [isAsked, setAsked] = useState(false);
  return (
    <Panel title="Timeline">
      {isAsked ? (
        <Timeline key={version} userId={userId} />
      ) : (
        <button type="button" className="quiet" onClick={() => setAsked(true)}>
          Read the audit (it records that you did)
        </button>
      )}
    </Panel>
  );
}

function Timeline({ userId }: { readonly userId: string }) {
  const [limit, setLimit] = useState(20);
  const path = `/v1/audit/users/${encodeURIComponent(userId)}/history?order=newest&limit=${limit}`;
  const answer = useAnswer<History>(path);
  return (
    <Shown answer={answer}>
      {({ items, next }) => (
        <>
          <ol className="timeline">
            {items.map((item) => (
              <Entry key={item.from + item.until} item={item} />
            ))}
          </ol>
          {items.length === 0 && <p className="faint">Nothing ever happened.</p>}
          {next !== null && limit < 100 && (
            <button type="button" className="quiet" onClick={() => setLimit(100)}>
              More
            </button>
          )}
        </>
      )}
    </Shown>
  );
}

function Entry({ item: { from, snapshot, changed, cause } }: { readonly item: HistoryItem }) {
  return (
    <li>
      <p>
        <Time at={from} /> <Badge word={snapshot.status} /> <strong>{snapshot.plan}</strong>
      </p>
      <p className="faint">
        {cause.kind === 'time' ? (
          'by time alone'
        ) : (
          <>
            {cause.type} at {cause.position}
            {cause.stripe?.eventId != null && (
              <>
                , <code>{cause.stripe.eventId}</code> {cause.stripe.eventType}
              </>
            )}
            {cause.stripe === null && cause.actor !== null && <>, by {cause.actor}</>}
            {cause.reason !== null && <>: {cause.reason}</>}
          </>
        )}
      </p>
      <ul className="changes">
        {changed.map(({ field, before, after }) => (
          <li key={field}>
            {field}: <del>{said(before)}</del> → <ins>{said(after)}</ins>
          </li>
        ))}
      </ul>
    </li>
  );
}

function said(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
