import { Module } from '@nestjs/common';
import { COMMAND_HANDLERS } from './command-handlers.js';

/** Executes what the CommandBus is given. */
@Module({ providers: COMMAND_HANDLERS })
export class CommandsModule {}
