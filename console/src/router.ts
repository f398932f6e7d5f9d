import { useSyncExternalStore } from 'react';

/** Where one is in the console; it is in the part of the address behind `#`, which no server sees. */
export type Place =
  | { readonly page: 'users' }
  | { readonly page: 'user'; readonly userId: string }
  | { readonly page: 'attention' }
  | { readonly page: 'projections' }
  | { readonly page: 'deliveries' };

/** The place that an address names; whatever is not one is the list of users. */
export function placeOf(hash: string): Place {
  const [page, ...rest] = hash.replace(/^#\/?/, '').split('/');
  switch (page) {
    case 'attention':
    case 'projections':
    case 'deliveries':
      return { page };
    case 'users': {
      const userId = rest.length === 0 ? '' : decoded(rest.join('/'));
      return userId === '' ? { page: 'users' } : { page: 'user', userId };
    }
    default:
      return { page: 'users' };
  }
}

export function addressOf(place: Place): string {
  return place.page === 'user' ? `#/users/${encodeURIComponent(place.userId)}` : `#/${place.page}`;
}

/** The place one is at, also after the browser's "back". */
export function usePlace(): Place {
  const hash = useSyncExternalStore(
    (changed) => {
      addEventListener('hashchange', changed);
      return () => removeEventListener('hashchange', changed);
    },
    () => location.hash,
  );
  return placeOf(hash);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not an address that the console made.
    return '';
  }
}
