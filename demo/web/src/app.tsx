import { useCallback, useEffect, useState } from 'react';
import type { AccessChanged } from '../../../packages/client/src/index.js';
import { TenureProvider } from '../../../packages/client/src/react/index.js';
import { Account } from './account.js';
import { faultText, readSession, type Session, signIn, signOut } from './session.js';

const PEOPLE = ['ada', 'grace', 'linus'];

export function App() {
  const [session, setSession] = useState<Session | 'unknown'>('unknown');
  const [toast, setToast] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const enterAs = useCallback((change: () => Promise<void>) => {
    setFault(null);
    change()
      .then(async () => setSession(await readSession()))
      .catch((error: unknown) => setFault(faultText(error)));
  }, []);
  const look = useCallback(() => enterAs(async () => {}), [enterAs]);
  useEffect(look, [look]);

  if (session === 'unknown') {
    return (
      <main className="page narrow">
        <h1>Lark Reports</h1>
        {fault === null ? <p>Loading…</p> : <Fault words={fault} onRetry={look} />}
      </main>
    );
  }
  if (session === null) {
    return <SignIn fault={fault} onEnter={(userId) => enterAs(() => signIn(userId))} />;
  }
  const leave = (): void => {
    setToast(null);
    enterAs(signOut);
  };
  const tell = ({ snapshot, change }: AccessChanged): void =>
    setToast(change === 'upgraded' ? `Welcome to ${snapshot.plan}.` : `You are on ${snapshot.plan} now.`);
  return (
    <TenureProvider
      key={session.userId}
      baseUrl="/api/tenure"
      userId={session.userId}
      initial={session.snapshot}
      onAccessChanged={tell}
    >
      <Account userId={session.userId} onLeave={leave} />
      <div className="toasts" role="status">
        {fault !== null && <p className="toast">{fault}</p>}
        {toast !== null && (
          <p className="toast">
            {toast}{' '}
            <button type="button" onClick={() => setToast(null)}>
              Close
            </button>
          </p>
        )}
      </div>
    </TenureProvider>
  );
}

function Fault({ words, onRetry }: { readonly words: string; readonly onRetry: () => void }) {
  return (
    <p role="alert" className="fault">
      {words}{' '}
      <button type="button" className="quiet" onClick={onRetry}>
        Try again
      </button>
    </p>
  );
}

function SignIn({
  fault,
  onEnter,
}: {
  readonly fault: string | null;
  readonly onEnter: (userId: string) => void;
}) {
  return (
    <main className="page narrow">
      <h1>Lark Reports</h1>
      <p>An application that sells plans. Who are you today?</p>
      <ul className="people">
        {PEOPLE.map((name) => (
          <li key={name}>
            <button type="button" onClick={() => onEnter(name)}>
              {name}
            </button>
          </li>
        ))}
      </ul>
      {fault !== null && (
        <p role="alert" className="fault">
          {fault}
        </p>
      )}
      <p className="faint">Open a second tab, and a third, to see them follow.</p>
    </main>
  );
}
