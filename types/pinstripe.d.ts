// The framework publishes no types: `lib/framework.ts`, the only file that imports it, gives them.
declare module 'pinstripe';
declare module '@pinstripe/utils';
declare module 'haberdash';
