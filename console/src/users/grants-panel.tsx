import { useClient } from '../api/client.js';
import type { Grants } from '../api/types.js';
import { useAnswer } from '../api/use-answer.js';
import { ActionForm } from '../parts/action-form.js';
import { Badge, Panel, Shown, Table, Time } from '../parts/parts.js';

const FIELDS = [
  { name: 'plan', label: 'Plan', isOptional: true },
  { name: 'features', label: 'Features, separated by spaces', isOptional: true },
  { name: 'expiresAt', label: 'Until', type: 'datetime-local', isOptional: true },
  { name: 'reason', label: 'Why; kept for good' },
] as const;

/** What was given by hand. */
export function GrantsPanel({
  userId,
  onChange,
}: {
  readonly userId: string;
  readonly onChange: () => void;
}) {
  const client = useClient();
  const path = `/v1/users/${encodeURIComponent(userId)}`;
  const answer = useAnswer<Grants>(`${path}/grants`);
  const changed = (): void => {
    answer.reload();
    onChange();
  };
  const give = async (values: Readonly<Record<string, string>>): Promise<void> => {
    const features = (values.features ?? '').split(/[\s,]+/).filter((word) => word !== '');
    await client.sendFor(userId, 'POST', `${path}/grants`, {
      ...(values.plan === '' ? {} : { plan: values.plan }),
      ...(features.length === 0 ? {} : { features }),
      ...(values.expiresAt === '' ? {} : { expiresAt: new Date(values.expiresAt ?? '').toISOString() }),
      reason: values.reason,
    });
    changed();
  };
  const take = (grantId: string) => async (values: Readonly<Record<string, string>>) => {
    await client.sendFor(
      userId,
      'DELETE',
      `${path}/grants/${encodeURIComponent(grantId)}?${new URLSearchParams({ reason: values.reason ?? '' })}`,
    );
    changed();
  };
  return (
    <Panel title="Grants" aside={<ActionForm name="Grant something" fields={FIELDS} onSend={give} />}>
      <Shown answer={answer}>
        {({ grants }) =>
          grants.length === 0 ? (
            <p className="faint">None.</p>
          ) : (
            <Table caption="Grants" columns={['Gives', 'State', 'Until', 'Why', 'By', 'Actions']}>
              {grants.map((grant) => (
                <tr key={grant.grantId}>
                  <td>{given(grant)}</td>
                  <td>
                    <Badge word={grant.state} />
                  </td>
                  <td>
                    <Time at={grant.revoked?.at ?? grant.expiresAt} />
                  </td>
                  <td>{grant.reason}</td>
                  <td>{grant.actor}</td>
                  <td>
                    {(grant.state === 'holds' || grant.state === 'to_come') && (
                      <ActionForm
                        name="Take back"
                        fields={[{ name: 'reason', label: 'Why; kept for good' }]}
                        onSend={take(grant.grantId)}
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

function given({ plan, addons, features, limits }: Grants['grants'][number]): string {
  const words = [
    ...(plan === null ? [] : [`plan ${plan}`]),
    ...Object.entries(addons).map(([name, units]) => `${units} × ${name}`),
    ...features,
    ...Object.entries(limits).map(([name, value]) => `${name} ${value}`),
  ];
  return words.join(', ');
}
