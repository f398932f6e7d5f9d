import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { POOL } from '../../database/database.js';
import { UserLocks } from './user-lock.js';

/** The locks of users who buy or change something: one for all routes, so that its places count together. */
@Module({
  providers: [{ provide: UserLocks, inject: [POOL], useFactory: (pool: Pool) => new UserLocks(pool) }],
  exports: [UserLocks],
})
export class UserLockModule {}
