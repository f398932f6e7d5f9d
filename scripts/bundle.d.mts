import type { Plugin } from 'rolldown';

export function bundle(modules: string, to: string, plugins?: readonly Plugin[]): Promise<void>;
