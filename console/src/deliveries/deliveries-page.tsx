import { Badge, Panel, ProblemNote, Table, Time } from '../parts/parts.js';
import { useDeliveries } from './use-deliveries.js';

/** Stripe's deliveries to this instance, as they come. */
export function DeliveriesPage() {
  const { deliveries, isOpen, problem } = useDeliveries();
  return (
    <>
      <h1>Deliveries</h1>
      <Panel title="To this instance" aside={<Badge word={isOpen ? 'live' : 'reconnecting'} />}>
        {problem !== null && <ProblemNote problem={problem} />}
        {deliveries.length === 0 ? (
          <p className="faint">None since it started.</p>
        ) : (
          <Table
            caption="Deliveries, the newest first"
            columns={['Answered', 'Outcome', 'Type', 'Event id', 'Became', 'Took']}
          >
            {deliveries.map((delivery) => (
              <tr key={delivery.number}>
                <td>
                  <Time at={delivery.at} />
                </td>
                <td>
                  <Badge word={delivery.outcome} />
                </td>
                <td>{delivery.type ?? <span className="faint">not read</span>}</td>
                <td>{delivery.eventId !== null && <code>{delivery.eventId}</code>}</td>
                <td>
                  {delivery.event !== null ? `${delivery.event} at ${delivery.position}` : delivery.detail}
                </td>
                <td className="number">{delivery.milliseconds} ms</td>
              </tr>
            ))}
          </Table>
        )}
      </Panel>
    </>
  );
}
