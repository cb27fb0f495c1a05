declare module '@bcoe/v8-coverage' {
  export type ProcessCov = { result: readonly { url: string }[]; 'source-map-cache'?: object }
  export function mergeProcessCovs(all: readonly ProcessCov[]): ProcessCov
}
