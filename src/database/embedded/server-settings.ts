/** `volatile` forgets acknowledged writes when the machine stops: for tests alone. */
export type Durability = 'durable' | 'volatile';

/** Where the server listens: on this machine alone. */
export const HOST = '127.0.0.1';

/** Chosen for two cores and many small commits. What is durable is not negotiable: both settings are said aloud. */
const SETTINGS: Readonly<Record<Durability, Readonly<Record<string, string>>>> = {
  durable: { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' },
  volatile: {
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    // Nothing lives long enough to be cleaned up, and each visit is a process.
    autovacuum: 'off',
    wal_level: 'minimal',
    max_wal_senders: '0',
    // Several workers share it, each with the services, the processes and the kept sessions of its tests.
    max_connections: '400',
  },
};
const COMMON_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  checkpoint_timeout: '15min',
  effective_io_concurrency: '16',
  random_page_cost: '1.1',
  jit: 'off',
  io_method: 'worker',
  io_workers: '1',
  max_parallel_workers_per_gather: '0',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Faults of the server itself. A refused statement is its caller's news, and its text is nobody else's.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
};

/** What the server is told at its start. */
export function serverSettings(durability: Durability): Readonly<Record<string, string>> {
  return { ...COMMON_SETTINGS, ...SETTINGS[durability] };
}
