import { Module } from '@nestjs/common';
import { UsersController } from './users.controller.js';

/** Lists of users. */
@Module({ controllers: [UsersController] })
export class UsersModule {}
