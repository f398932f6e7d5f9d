import { randomUUID } from 'node:crypto';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type grpc from '@grpc/grpc-js';
import type { Faults } from './faults.js';

type ClusterInfo = InstanceType<typeof gossip.ClusterInfo>;

/** One node as the others see it. */
export interface ClusterMember {
  readonly address: string;
  readonly port: number;
  readonly state: 'leader' | 'follower';
  readonly alive: boolean;
}

/** Answers what `esdb+discover://` asks: who is in the cluster and who leads it. */
export function gossipHandler(members: () => readonly ClusterMember[], faults: Faults) {
  return (
    call: grpc.ServerUnaryCall<unknown, ClusterInfo>,
    callback: grpc.sendUnaryData<ClusterInfo>,
  ): void => {
    faults.admit(
      call,
      () => faults.answer(() => callback(null, clusterInfo(members()))),
      (status) => callback(status),
    );
  };
}

function clusterInfo(members: readonly ClusterMember[]): ClusterInfo {
  const info = new gossip.ClusterInfo();
  for (const { address, port, state, alive } of members) {
    const id = new shared.UUID();
    id.setString(randomUUID());
    const endPoint = new gossip.EndPoint();
    endPoint.setAddress(address);
    endPoint.setPort(port);
    const member = new gossip.MemberInfo();
    member.setInstanceId(id);
    member.setTimeStamp(String(Date.now() * 10_000));
    member.setState(
      state === 'leader' ? gossip.MemberInfo.VNodeState.LEADER : gossip.MemberInfo.VNodeState.FOLLOWER,
    );
    member.setIsAlive(alive);
    member.setHttpEndPoint(endPoint);
    info.addMembers(member);
  }
  return info;
}
