import { useClient } from '../api/client.js';
import type { DeadLetters } from '../api/types.js';
import { useAnswer } from '../api/use-answer.js';
import { ActionForm } from '../parts/action-form.js';
import { Panel, Shown, Table, Time } from '../parts/parts.js';

/** Messages that no receiver took. */
export function DeadLettersPanel() {
  const client = useClient();
  const answer = useAnswer<DeadLetters>('/v1/ops/dead-letters?limit=100', 15_000);
  return (
    <Panel title="Dead letters">
      <Shown answer={answer}>
        {({ deadLetters }) =>
          deadLetters.length === 0 ? (
            <p className="faint">Nothing.</p>
          ) : (
            <>
              <p className="note">Messages that no receiver took. Mend the receiver, then try each again.</p>
              <Table
                caption="Dead letters"
                columns={['Reaction', 'For', 'Tries', 'Failure', 'Since', 'Actions']}
              >
                {deadLetters.map((letter) => (
                  <tr key={letter.id}>
                    <td>{letter.reaction}</td>
                    <td>
                      <code>{letter.group}</code>
                    </td>
                    <td>{letter.attempts}</td>
                    <td>{letter.failure}</td>
                    <td>
                      <Time at={letter.deadAt} />
                    </td>
                    <td>
                      <ActionForm
                        name="Try again"
                        fields={[]}
                        onSend={async () => {
                          await client.send('POST', `/v1/ops/dead-letters/${letter.id}/replay`);
                          answer.reload();
                        }}
                      />
                    </td>
                  </tr>
                ))}
              </Table>
            </>
          )
        }
      </Shown>
    </Panel>
  );
}
