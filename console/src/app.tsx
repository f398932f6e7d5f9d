import { useCallback, useEffect, useMemo, useState } from 'react';
import { Client, ClientContext } from './api/client.js';
import { AttentionPage } from './attention/attention-page.js';
import { DeliveriesPage } from './deliveries/deliveries-page.js';
import { ProjectionsPage } from './projections/projections-page.js';
import { addressOf, type Place, usePlace } from './router.js';
import { SignIn } from './sign-in.js';
import { FindUserPage } from './users/find-user-page.js';
import { UserPage } from './users/user-page.js';

/** The key is kept for this tab, and gone with it. */
const KEY = 'tenure-console-key';

const PAGES = [
  { page: 'users', name: 'Users' },
  { page: 'attention', name: 'Attention' },
  { page: 'projections', name: 'Projections' },
  { page: 'deliveries', name: 'Deliveries' },
] as const;

export function App() {
  const [key, setKey] = useState(() => sessionStorage.getItem(KEY));
  const [wasRefused, setRefused] = useState(false);
  const leave = useCallback((refused: boolean) => {
    sessionStorage.removeItem(KEY);
    setKey(null);
    setRefused(refused);
  }, []);
  const client = useMemo(() => (key === null ? null : new Client(key, () => leave(true))), [key, leave]);

  if (client === null) {
    const enter = (given: string): void => {
      sessionStorage.setItem(KEY, given);
      setRefused(false);
      setKey(given);
    };
    return <SignIn wasRefused={wasRefused} onKey={enter} />;
  }
  return (
    <ClientContext value={client}>
      <Shell onLeave={() => leave(false)} />
    </ClientContext>
  );
}

function Shell({ onLeave }: { readonly onLeave: () => void }) {
  const place = usePlace();
  const title = place.page === 'user' ? place.userId : PAGES.find(({ page }) => page === place.page)?.name;
  useEffect(() => {
    document.title = `${title} · Tenure console`;
  }, [title]);
  return (
    <>
      <button type="button" className="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the page
      </button>
      <header className="bar">
        <p className="brand">
          Tenure <span>console</span>
        </p>
        <nav aria-label="Pages">
          {PAGES.map(({ page, name }) => (
            <a
              key={page}
              href={addressOf({ page })}
              aria-current={
                page === place.page || (page === 'users' && place.page === 'user') ? 'page' : undefined
              }
            >
              {name}
            </a>
          ))}
        </nav>
        <button type="button" className="quiet" onClick={onLeave}>
          Sign out
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        <Page place={place} />
      </main>
    </>
  );
}

function Page({ place }: { readonly place: Place }) {
  switch (place.page) {
    case 'users':
      return <FindUserPage />;
    case 'user':
      return <UserPage key={place.userId} userId={place.userId} />;
    case 'attention':
      return <AttentionPage />;
    case 'projections':
      return <ProjectionsPage />;
    case 'deliveries':
      return <DeliveriesPage />;
  }
}
