import type { Reason } from '../api/types.js';
import { Panel } from '../parts/parts.js';

/** Why each part is as it is, in the words of the rule that decided, with the events it decided by. */
export function ReasonsPanel({ reasons }: { readonly reasons: readonly Reason[] }) {
  return (
    <Panel title="Why">
      <ul className="reasons">
        {reasons.map((reason, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two reasons of one part may be alike, and their order is fixed
          <li key={`${reason.of} ${reason.code} ${index}`}>
            <details>
              <summary>
                <code>{reason.of}</code> {reason.words}
              </summary>
              <p>
                Rule <code>{reason.code}</code>
              </p>
              <pre>{JSON.stringify(reason.facts, null, 2)}</pre>
              {reason.events.length > 0 && (
                <ul>
                  {reason.events.map((event) => (
                    <li key={`${event.id} ${event.position}`}>
                      {event.type ?? 'an event that is no longer held'}{' '}
                      {event.stripeEventId !== null && <code>{event.stripeEventId}</code>}{' '}
                      {event.position !== null && <span className="faint">at {event.position}</span>}
                    </li>
                  ))}
                </ul>
              )}
            </details>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
