import { CommitNotifier } from './commit-notifier.js';
import type { LeaderElection } from './leader-election.js';

describe('A notification of commits', () => {
  it('goes through the session of the last commit, where the one before it is lost by then', async () => {
    const notifier = new CommitNotifier(() => undefined, new AbortController().signal);
    const sent = await new Promise<string>((resolve) => {
      const session = (name: string) => ({ isLost: false, notify: async () => resolve(name) });
      const before = session('before');
      notifier.committed(before as unknown as LeaderElection);
      before.isLost = true;
      notifier.committed(session('after') as unknown as LeaderElection);
    });
    expect(sent).toBe('after');
  });
});
