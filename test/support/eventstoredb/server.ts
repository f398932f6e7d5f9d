import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import grpc from '@grpc/grpc-js';
import { appendHandler, type Cut } from './append-service.js';
import { batchAppendHandler } from './batch-append-service.js';
import { Connections } from './connections.js';
import { deleteHandler, tombstoneHandler } from './delete-service.js';
import { Faults } from './faults.js';
import { type ClusterMember, gossipHandler } from './gossip.js';
import { EventLog } from './log.js';
import { SplittingCall, serializeFrame } from './read-call.js';
import { readHandler } from './read-service.js';
import type { LogRecord } from './records.js';
import { supportedMethodsHandler } from './server-features.js';
import { Subscriptions } from './subscriptions.js';

/** Concurrent calls one connection may have, as the real server has it. */
const MAX_STREAMS = 100;

/** The streams service with reads that may be answered by bytes encoded before. */
const STREAMS = {
  ...streamsGrpc.StreamsService,
  read: { ...streamsGrpc.StreamsService.read, responseSerialize: serializeFrame },
};

/**
 * A single-node EventStoreDB 23.10 for tests: the real protocol over a real connection, the measured behaviour, an
 * in-memory log that survives `stop` and `start`, and faults to order.
 */
export class EventStoreDbServer {
  readonly log = new EventLog();
  readonly faults = new Faults();
  readonly subscriptions = new Subscriptions(this.log);
  readonly connections = new Connections();
  /** Told the name of every call as it comes in. */
  watch: ((method: string) => void) | undefined;
  /** What gossip says of the cluster; `undefined` is this node alone, leading. */
  members: readonly ClusterMember[] | undefined;
  #port: number;
  #grpc: grpc.Server | undefined;

  private constructor(port: number) {
    this.#port = port;
  }

  /** A running server on `port` (0: any), its log empty or restored from what another one had written, event by event. */
  static async start(port = 0, written: readonly LogRecord[] = []): Promise<EventStoreDbServer> {
    const server = new EventStoreDbServer(port);
    server.log.restore(written);
    await server.start();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** How a client finds it. */
  get url(): string {
    return `esdb://127.0.0.1:${this.#port}?tls=false`;
  }

  /** Starts again on the same port, with the log as it was written. */
  async start(): Promise<void> {
    const server = this.#service();
    const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
    this.#port = await this.connections.listen(this.#port, (socket) => injector.injectConnection(socket));
    this.#grpc = server;
  }

  /** Ends as a killed process does: every connection is cut, and what was remembered in memory is forgotten. */
  async stop(): Promise<void> {
    await this.connections.close();
    this.#grpc?.forceShutdown();
    this.#grpc = undefined;
    this.log.restart();
  }

  /** As a stopped process (SIGSTOP): connections stay open and are accepted, nothing is read, done or answered. */
  freeze(): void {
    this.connections.freeze();
    this.log.freeze();
  }

  thaw(): void {
    this.connections.thaw();
    this.log.thaw();
  }

  #service(): grpc.Server {
    const { log, faults } = this;
    const cut: Cut = (call) => this.connections.cut(call.getPeer());
    const server = new grpc.Server({
      interceptors: [
        (method, call) => {
          this.watch?.(methodName(method.path));
          return new SplittingCall(call);
        },
      ],
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.max_concurrent_streams': MAX_STREAMS,
    });
    server.addService(STREAMS, {
      read: readHandler(log, faults, this.subscriptions),
      append: appendHandler(log, faults, cut),
      batchAppend: batchAppendHandler(log, faults, cut),
      delete: deleteHandler(log, faults),
      tombstone: tombstoneHandler(log, faults),
    });
    server.addService(featuresGrpc.ServerFeaturesService, {
      getSupportedMethods: supportedMethodsHandler(faults),
    });
    server.addService(gossipGrpc.GossipService, { read: gossipHandler(() => this.#cluster(), faults) });
    return server;
  }

  #cluster(): readonly ClusterMember[] {
    return this.members ?? [{ address: '127.0.0.1', port: this.#port, state: 'leader', alive: true }];
  }
}

function methodName(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.charAt(0).toLowerCase() + name.slice(1);
}
