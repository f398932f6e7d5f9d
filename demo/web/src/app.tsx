import { useCallback, useEffect, useState } from 'react';
import type { AccessChanged } from '../../../packages/client/src/index.js';
import { TenureProvider } from '../../../packages/client/src/react/index.js';
import { Account } from './account.js';
import { readSession, type Session, signIn, signOut } from './session.js';

const PEOPLE = ['ada', 'grace', 'linus'];

export function App() {
  const [session, setSession] = useState<Session | 'unknown'>('unknown');
  const [toast, setToast] = useState<string | null>(null);
  const read = useCallback(async () => setSession(await readSession()), []);
  useEffect(() => {
    void read();
  }, [read]);

  if (session === 'unknown') return <p className="page">Loading…</p>;
  if (session === null) {
    const enter = async (userId: string): Promise<void> => {
      await signIn(userId);
      await read();
    };
    return <SignIn onEnter={enter} />;
  }
  const leave = async (): Promise<void> => {
    setToast(null);
    await signOut();
    await read();
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

function SignIn({ onEnter }: { readonly onEnter: (userId: string) => Promise<void> }) {
  return (
    <main className="page narrow">
      <h1>Lark Reports</h1>
      <p>An application that sells plans. Who are you today?</p>
      <ul className="people">
        {PEOPLE.map((name) => (
          <li key={name}>
            <button type="button" onClick={() => void onEnter(name)}>
              {name}
            </button>
          </li>
        ))}
      </ul>
      <p className="faint">Open a second tab, and a third, to see them follow.</p>
    </main>
  );
}
