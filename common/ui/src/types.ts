// The messages of proto/*.proto as the JSON mapping (proto/json.h) writes them. 64-bit integers are strings; bytes are text.

export type * from './types/common';
export type * from './types/service';
export type * from './types/request';
export type * from './types/case';
export type * from './types/network';
export type * from './types/notice';
export type * from './types/publication';
export type * from './types/person';
export type * from './types/certificate';
export type * from './types/account';
export type * from './types/work';
export type * from './types/ring';
export type * from './types/contact';
export type * from './types/report';
export type * from './types/pinyin';
export type * from './types/point';
