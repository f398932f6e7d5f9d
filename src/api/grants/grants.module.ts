import { Module } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { Repositories } from '../../commands/repositories.js';
import { POOL } from '../../database/database.js';
import { MACHINE_CLOCK } from '../../database/server-clock.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { ByHandReader } from '../../projections/read-models/by-hand.reader.js';
import { GrantsController } from './grants.controller.js';
import { GrantsService } from './grants.service.js';
import { OverridesController } from './overrides.controller.js';

/** What is given and set by hand. */
@Module({
  controllers: [GrantsController, OverridesController],
  providers: [
    {
      provide: ByHandReader,
      inject: [POOL, MACHINE_CLOCK],
      useFactory: (pool: Pool, now: () => number) => new ByHandReader({ pool, now }),
    },
    {
      provide: GrantsService,
      inject: [CommandBus, Repositories, PROJECTIONS, MACHINE_CLOCK],
      useFactory: (
        commands: CommandBus,
        repositories: Repositories,
        { ops }: Projections,
        now: () => number,
      ) => new GrantsService({ commands, repositories, ops, now }),
    },
  ],
})
export class GrantsModule {}
