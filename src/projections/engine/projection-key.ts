/** Which fold of the log: the projection's name and the generation it builds. */
export interface ProjectionKey {
  readonly projection: string;
  readonly generation: number;
}
