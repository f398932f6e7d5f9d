import { useClient } from '../api/client.js';
import type { Overrides } from '../api/types.js';
import { useAnswer } from '../api/use-answer.js';
import { ActionForm } from '../parts/action-form.js';
import { Badge, Panel, Shown, Table, Time } from '../parts/parts.js';

const FIELDS = [
  { name: 'key', label: 'Feature or limit' },
  { name: 'value', label: 'on, off, a number, unlimited, or +3 or -3 of a limit' },
  { name: 'expiresAt', label: 'Until', type: 'datetime-local', isOptional: true },
  { name: 'reason', label: 'Why; kept for good' },
] as const;

/** What was decided by hand of single features and limits. */
export function OverridesPanel({
  userId,
  onChange,
}: {
  readonly userId: string;
  readonly onChange: () => void;
}) {
  const client = useClient();
  const path = `/v1/users/${encodeURIComponent(userId)}`;
  const answer = useAnswer<Overrides>(`${path}/overrides`);
  const changed = (): void => {
    answer.reload();
    onChange();
  };
  const set = async ({ key = '', value = '', expiresAt, reason }: Readonly<Record<string, string>>) => {
    await client.sendFor(userId, 'PUT', `${path}/overrides/${encodeURIComponent(key)}`, {
      ...saidBy(value),
      ...(expiresAt === undefined || expiresAt === ''
        ? {}
        : { expiresAt: new Date(expiresAt).toISOString() }),
      reason,
    });
    changed();
  };
  const remove = (key: string) => async (values: Readonly<Record<string, string>>) => {
    const query = new URLSearchParams({ reason: values.reason ?? '' });
    await client.sendFor(userId, 'DELETE', `${path}/overrides/${encodeURIComponent(key)}?${query}`);
    changed();
  };
  return (
    <Panel title="Overrides" aside={<ActionForm name="Override something" fields={FIELDS} onSend={set} />}>
      <Shown answer={answer}>
        {({ overrides }) =>
          overrides.length === 0 ? (
            <p className="faint">None.</p>
          ) : (
            <Table
              caption="Overrides"
              columns={['Key', 'Holds', 'Without it', 'State', 'Until', 'Why', 'By', 'Actions']}
            >
              {overrides.map((override) => (
                <tr key={`${override.key} ${override.kind} ${override.setAt}`}>
                  <td>{override.key}</td>
                  <td>{String(override.value)}</td>
                  <td>{String(override.planValue)}</td>
                  <td>
                    <Badge word={override.state} />
                  </td>
                  <td>
                    <Time at={override.expiresAt} />
                  </td>
                  <td>{override.reason}</td>
                  <td>{override.actor}</td>
                  <td>
                    {override.state === 'in_force' && (
                      <ActionForm
                        name="Remove"
                        fields={[{ name: 'reason', label: 'Why; kept for good' }]}
                        onSend={remove(override.key)}
                      />
                    )}
                  </td>
                </tr>
              ))}
            </Table>
          )
        }
      </Shown>
    </Panel>
  );
}

/** What a person means by `on`, `7`, `unlimited` or `+3`; anything else goes on as it is, and the service says why not. */
export function saidBy(text: string): { readonly value: unknown } | { readonly add: number } {
  if (/^[+-]\d+$/.test(text)) return { add: Number(text) };
  if (/^\d+$/.test(text)) return { value: Number(text) };
  if (text === 'on' || text === 'true') return { value: true };
  if (text === 'off' || text === 'false') return { value: false };
  return { value: text };
}
