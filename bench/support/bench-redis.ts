import { RedisServer } from '../../test/support/redis.js';
import { atEndOfBench } from './end-of-bench.js';

/** Starts a `redis-server`, which is killed with the end of the bench if nobody has done so before. */
export async function benchRedis(): Promise<RedisServer> {
  const redis = await RedisServer.start();
  atEndOfBench(() => redis.kill());
  return redis;
}
