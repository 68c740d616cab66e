/** The environment of this job's steps, as far as a step can see and change it. */
export interface JobVariables {
  /** Of this step. */
  get(name: string): string | undefined;
  /** For the steps after this one, their post steps included. */
  set(name: string, value: string): void;
}
