/** What one run is asked to do. */
import type { LayerName } from './observation.ts';
import type { Plan } from './plan.ts';
import type { Site, Subjected } from './site.ts';

export interface BenchOptions extends Plan {
  /** Where configurations and data directories are written. The caller removes it. */
  readonly site: Site;
  readonly subjected: Subjected;
  readonly layers: readonly LayerName[];
  /** The token is removed with the site: its keys need not be destroyed one by one. */
  readonly temporaryToken: boolean;
  /** Keys in the store while it is measured. */
  readonly keys: number;
  readonly onProgress: (text: string) => void;
}
