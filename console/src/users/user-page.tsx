import type { Snapshot } from '../api/types.js';
import { useAnswer } from '../api/use-answer.js';
import { Badge, Facts, Panel, Shown, Time } from '../parts/parts.js';
import { GrantsPanel } from './grants-panel.js';
import { OverridesPanel } from './overrides-panel.js';
import { ReasonsPanel } from './reasons-panel.js';
import { TimelinePanel } from './timeline-panel.js';

/** Everything about one user: what they may do now, why, and how it came to be. */
export function UserPage({ userId }: { readonly userId: string }) {
  const path = `/v1/users/${encodeURIComponent(userId)}`;
  const snapshot = useAnswer<Snapshot>(`${path}/entitlements?explain=true`, 5_000);
  return (
    <>
      <h1>{userId}</h1>
      <Shown answer={snapshot}>
        {(now) => (
          <>
            <NowPanel now={now} />
            <ReasonsPanel reasons={now.reasons ?? []} />
          </>
        )}
      </Shown>
      <GrantsPanel userId={userId} onChange={snapshot.reload} />
      <OverridesPanel userId={userId} onChange={snapshot.reload} />
      <TimelinePanel userId={userId} version={snapshot.body?.revocationVersion ?? null} />
    </>
  );
}

function NowPanel({ now }: { readonly now: Snapshot }) {
  const { pendingPayment, scheduledChange, faulted } = now;
  return (
    <Panel title="Now" aside={<Badge word={now.status} />}>
      {faulted !== undefined && (
        <p role="alert" className="problem">
          Stands still since <Time at={faulted.since} />: event {faulted.position} could not be applied. See
          Attention.
        </p>
      )}
      <Facts
        of={[
          ['Plan', now.plan],
          ['Role', now.role],
          ['Version', now.revocationVersion],
          ['Expires', <Time key="e" at={now.expiresAt} />],
          ['Cancels', <Time key="c" at={now.cancelAt} />],
          ['Valid until', <Time key="v" at={now.validUntil} />],
          ['Changed', <Time key="a" at={now.changedAt} />],
          ['From', now.source === null ? 'the default plan' : sourceOf(now.source)],
        ]}
      />
      {pendingPayment !== null && (
        <p className="note">
          <strong>{pendingPayment.plan}</strong> waits for a payment since <Time at={pendingPayment.since} />{' '}
          ({pendingPayment.reason.replaceAll('_', ' ')}
          {pendingPayment.invoice !== null && (
            <>
              , invoice <code>{pendingPayment.invoice}</code>
            </>
          )}
          ).
        </p>
      )}
      {scheduledChange !== null && (
        <p className="note">
          Becomes <strong>{scheduledChange.plan}</strong> on <Time at={scheduledChange.at} />.
        </p>
      )}
      <h3>Features</h3>
      {now.features.length === 0 ? (
        <p className="faint">None.</p>
      ) : (
        <ul className="words">
          {now.features.map((feature) => (
            <li key={feature}>{feature}</li>
          ))}
        </ul>
      )}
      <h3>Limits</h3>
      <Facts of={Object.entries(now.limits).map(([name, value]) => [name, value] as const)} />
    </Panel>
  );
}

function sourceOf(source: NonNullable<Snapshot['source']>): string {
  switch (source.type) {
    case 'subscription':
      return `subscription ${source.subscriptionId}`;
    case 'purchase':
      return `purchase ${source.sessionId}`;
    case 'grant':
      return `grant ${source.grantId}`;
  }
}
