// The parts that all pages are made of. Each carries its own wiring for keyboards and screen readers; pages use no
// element of their own where there is a part. common/ui/build --parts shows every part in every state.
export { Icon, ICONS, type IconName } from './icons';
export * from './parts/announce';
export * from './parts/button';
export * from './parts/dialog';
export * from './parts/display';
export * from './parts/field';
export * from './parts/states';
export * from './parts/table';
export * from './parts/toast';
