import { useClient } from '../api/client.js';
import type { Projection, Rebuild } from '../api/types.js';
import { useAnswer } from '../api/use-answer.js';
import { ActionForm } from '../parts/action-form.js';
import { Badge, Facts, Panel, ProblemNote, Shown, Table, Time } from '../parts/parts.js';

const PROJECTION = '/v1/ops/projections/entitlements';

/** How the fold of the log is doing, its generations, and a rebuild with its progress. */
export function ProjectionsPage() {
  const client = useClient();
  const projection = useAnswer<Projection>(PROJECTION, 2_000);
  const rebuild = useAnswer<Rebuild>(`${PROJECTION}/rebuild`, 1_000);
  const send = (path: string) => async (values: Readonly<Record<string, unknown>>) => {
    await client.send('POST', `${PROJECTION}/${path}`, values);
    projection.reload();
    rebuild.reload();
  };
  const why = { name: 'reason', label: 'Why; kept for good' };
  return (
    <>
      <h1>Projections</h1>
      <Shown answer={projection}>{(now) => <StatePanel now={now} />}</Shown>
      <Panel
        title="Rebuild"
        aside={
          <div className="buttons">
            <ActionForm
              name="Rebuild"
              fields={[
                why,
                { name: 'afterwards', label: 'When it is level', options: ['drop', 'keep', 'swap'] },
              ]}
              onSend={send('rebuild')}
            >
              <p>
                The log is folded anew beside what is read. <code>drop</code> only compares, <code>keep</code>{' '}
                lets you swap later, <code>swap</code> swaps at once.
              </p>
            </ActionForm>
            <ActionForm name="Roll back" fields={[why]} onSend={send('rollback')}>
              <p>Goes back to the generation before, which is kept level.</p>
            </ActionForm>
          </div>
        }
      >
        {rebuild.body !== null ? (
          <RebuildState rebuild={rebuild.body} />
        ) : rebuild.problem?.status === 404 ? (
          <p className="faint">None was ordered yet.</p>
        ) : (
          rebuild.problem !== null && <ProblemNote problem={rebuild.problem} />
        )}
      </Panel>
      <Shown answer={projection}>
        {(now) => (
          <>
            <GenerationsPanel now={now} onSwap={send('swap')} />
            <SwapsPanel now={now} />
          </>
        )}
      </Shown>
    </>
  );
}

function StatePanel({ now }: { readonly now: Projection }) {
  return (
    <Panel title="Now" aside={<Badge word={now.state} />}>
      {now.fault !== null && (
        <p role="alert" className="problem">
          Stopped at {now.fault.position} ({now.fault.type}): {now.fault.message}
        </p>
      )}
      <Facts
        of={[
          ['Generation', now.generation ?? 'none'],
          ['Position', now.handled ?? 'none'],
          ['Head of the log', now.head ?? 'none'],
          ['Events behind', now.lagEvents],
          ['Seconds behind', now.lagSeconds],
          ['Streams set aside', now.setAside.streams],
          ['Users marked', now.setAside.users],
        ]}
      />
      {now.publications.map(({ position, judged, users }) => (
        <label key={position}>
          The catalogue of {position} is being applied: {judged} of {users} users
          <progress value={judged} max={Math.max(users, 1)} />
        </label>
      ))}
    </Panel>
  );
}

function RebuildState({ rebuild }: { readonly rebuild: Rebuild }) {
  const { phase, handled, live, events, eventsPerSecond, secondsLeft, report, failure } = rebuild;
  return (
    <>
      <p>
        Generation {rebuild.generation}: <Badge word={phase} /> ordered by {rebuild.actor} (“{rebuild.reason}
        ”), <Time at={rebuild.startedAt} />
      </p>
      {phase === 'building' && (
        <label>
          {events ?? 0} events, at {handled ?? '0'} of {live ?? '?'}
          {eventsPerSecond !== null && `, ${Math.round(eventsPerSecond)} events a second`}
          {secondsLeft !== null && `, ${Math.ceil(secondsLeft)} s left`}
          {/* Within a stretch that is folded group by group the position stands still and events go on. */}
          <progress
            {...(live === null
              ? {}
              : { value: Math.max(Number(handled ?? 0), events ?? 0), max: Number(live) })}
          />
        </label>
      )}
      {failure !== null && (
        <p role="alert" className="problem">
          {failure.message} <code>{failure.code}</code>
        </p>
      )}
      {report !== null && (
        <>
          <p>
            {report.changed === 0 ? 'Nobody would change.' : `${report.changed} users change.`}{' '}
            {report.detailsOnly > 0 && `${report.detailsOnly} only in dates and the like.`}
          </p>
          {report.first.length > 0 && (
            <Table caption="The first who change" columns={['User', 'What', 'Before', 'After']}>
              {report.first.slice(0, 20).map((user) => (
                <tr key={user.userId}>
                  <td>{user.userId}</td>
                  <td>{user.kinds.join(', ')}</td>
                  <td>
                    {user.before.plan} {user.before.status}
                  </td>
                  <td>
                    {user.after.plan} {user.after.status}
                  </td>
                </tr>
              ))}
            </Table>
          )}
        </>
      )}
    </>
  );
}

function GenerationsPanel({
  now,
  onSwap,
}: {
  readonly now: Projection;
  readonly onSwap: (swap: { readonly generation: number; readonly reason: string }) => Promise<void>;
}) {
  return (
    <Panel title="Generations">
      <Table
        caption="Generations"
        columns={['Number', 'Role', 'Position', 'Events', 'Code', 'Began', 'Why', 'Actions']}
      >
        {now.generations.map((each) => (
          <tr key={each.generation}>
            <td>{each.generation}</td>
            <td>
              <Badge word={each.role} />
            </td>
            <td>{each.fold?.handled}</td>
            <td>{each.fold?.events}</td>
            <td>{each.fold?.foldedBy}</td>
            <td>
              <Time at={each.startedAt} />
            </td>
            <td>{each.reason}</td>
            <td>
              {each.role === 'building' && each.afterwards === 'keep' && (
                <ActionForm
                  name="Swap to it"
                  fields={[{ name: 'reason', label: 'Why; kept for good' }]}
                  onSend={({ reason = '' }) => onSwap({ generation: each.generation, reason })}
                />
              )}
            </td>
          </tr>
        ))}
      </Table>
    </Panel>
  );
}

function SwapsPanel({ now }: { readonly now: Projection }) {
  if (now.swaps.length === 0) return null;
  return (
    <Panel title="Swaps">
      <Table caption="Swaps" columns={['When', 'Kind', 'From', 'To', 'Users changed', 'By', 'Why']}>
        {now.swaps.map((swap) => (
          <tr key={swap.swap}>
            <td>
              <Time at={swap.at} />
            </td>
            <td>{swap.kind}</td>
            <td>{swap.from}</td>
            <td>{swap.to}</td>
            <td>{swap.usersChanged}</td>
            <td>{swap.actor}</td>
            <td>{swap.reason}</td>
          </tr>
        ))}
      </Table>
    </Panel>
  );
}
