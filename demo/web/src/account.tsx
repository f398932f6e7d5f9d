import { useEffect, useState } from 'react';
import { Feature, useEntitlements, useTierUpgrade } from '../../../packages/client/src/react/index.js';
import { CHOSEN, Plans } from './plans.js';
import { cancelPlan, faultText, holdWebhooks } from './session.js';
import { WhyPanel } from './why-panel.js';

export function Account({ userId, onLeave }: { readonly userId: string; readonly onLeave: () => void }) {
  return (
    <>
      <header className="bar">
        <p className="brand">Lark Reports</p>
        <p>
          Signed in as <strong>{userId}</strong>
        </p>
        <button type="button" className="quiet" onClick={onLeave}>
          Sign out
        </button>
      </header>
      <main className="page">
        <Welcome />
        <div className="columns">
          <div>
            <PlanCard />
            <Plans />
          </div>
          <div>
            <WhyPanel />
            <BadDay />
          </div>
        </div>
      </main>
    </>
  );
}

/** What the page says to who comes back from paying, until the plan is there. */
function Welcome() {
  const { state, snapshot, start, retry } = useTierUpgrade();
  useEffect(() => {
    if (!new URLSearchParams(location.search).has('bought')) return;
    history.replaceState(null, '', location.pathname);
    const plan = sessionStorage.getItem(CHOSEN);
    start(plan === null ? {} : { plan });
  }, [start]);
  if (state === 'waiting') {
    return (
      <p className="note" role="status">
        Thank you. Your payment is on its way to us…
      </p>
    );
  }
  if (state === 'upgraded') {
    return (
      <p className="note" role="status">
        Your payment is here: welcome to {snapshot?.plan}.
      </p>
    );
  }
  if (state === 'timedOut') {
    return (
      <p className="note" role="status">
        This is taking longer than usual. You need do nothing: the plan appears when the payment is here.{' '}
        <button type="button" className="quiet" onClick={retry}>
          Look again
        </button>
      </p>
    );
  }
  return null;
}

function PlanCard() {
  const { snapshot, status } = useEntitlements();
  const [fault, setFault] = useState<string | null>(null);
  if (snapshot === null) return <p>Loading your plan…</p>;
  const cancel = (): void => {
    if (!confirm(`Cancel ${snapshot.plan} now? What it gives ends at once.`)) return;
    setFault(null);
    cancelPlan().catch((error: unknown) => setFault(faultText(error)));
  };
  return (
    <section className="card" aria-labelledby="plan">
      <h1 id="plan">
        {snapshot.plan} <span className="badge">{snapshot.status.replaceAll('_', ' ')}</span>
      </h1>
      {snapshot.pendingPayment !== null && (
        <p className="note">{snapshot.pendingPayment.plan} waits for its payment.</p>
      )}
      <ul className="features">
        {['reports', 'export', 'api'].map((name) => (
          <li key={name}>
            <Feature name={name} loading={<span>…</span>} fallback={<span className="faint">✗ {name}</span>}>
              <span>✓ {name}</span>
            </Feature>
          </li>
        ))}
        <li>up to {snapshot.limits.members ?? 0} members</li>
      </ul>
      {snapshot.subscriptionActive && (
        <button type="button" className="quiet" onClick={cancel}>
          Cancel now
        </button>
      )}
      {fault !== null && (
        <p role="alert" className="fault">
          {fault}
        </p>
      )}
      <p className="faint">
        Version {snapshot.revocationVersion}, {status}
      </p>
    </section>
  );
}

/** Keeps back Stripe's webhooks, to see what people see when they are late. */
function BadDay() {
  const [isHeld, setHeld] = useState(false);
  const change = (hold: boolean): void => {
    setHeld(hold);
    holdWebhooks(hold).catch(() => setHeld(!hold));
  };
  return (
    <section className="card" aria-labelledby="bad-day">
      <h2 id="bad-day">A bad day at Stripe</h2>
      <label>
        <input type="checkbox" checked={isHeld} onChange={({ target }) => change(target.checked)} /> Keep back
        webhooks
      </label>
      <p className="faint">Buy something, then let them go.</p>
    </section>
  );
}
