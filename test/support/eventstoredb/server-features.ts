import serverFeatures from '@eventstore/db-client/generated/serverfeatures_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type grpc from '@grpc/grpc-js';
import type { Faults } from './faults.js';

export const SERVER_VERSION = '23.10.6.0';

type Features = InstanceType<typeof serverFeatures.SupportedMethods>;

/** Says which methods there are: those of the streams service, so the client appends by batch unless it is told not to. */
export function supportedMethodsHandler(faults: Faults) {
  return (call: grpc.ServerUnaryCall<unknown, Features>, callback: grpc.sendUnaryData<Features>): void => {
    faults.admit(
      call,
      () => faults.answer(() => callback(null, supportedMethods())),
      (status) => callback(status),
    );
  };
}

function supportedMethods(): Features {
  const methods = new serverFeatures.SupportedMethods();
  methods.setEventStoreServerVersion(SERVER_VERSION);
  for (const { path } of Object.values(streamsGrpc.StreamsService)) {
    const [, service, name] = path.split('/');
    if (service === undefined || name === undefined) throw new Error(`no method path: ${path}`);
    const method = new serverFeatures.SupportedMethod();
    method.setServiceName(service);
    method.setMethodName(name.toLowerCase());
    methods.addMethods(method);
  }
  return methods;
}
