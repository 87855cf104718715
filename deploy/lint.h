/*
 * What clang's analyzer cannot see from one file: what reports a failure never returns OK, so nobody reads the outputs
 * of a call that failed. deploy/lint includes this before each source; no build does.
 */
#ifndef DEPLOY_LINT_H
#define DEPLOY_LINT_H

#include "base/errors.h"

#define error_set(...) ((error_set)(__VA_ARGS__) ?: ERR_INTERNAL)
#define error_wrap(...) ((error_wrap)(__VA_ARGS__) ?: ERR_INTERNAL)
#define error_set_errno(...) ((error_set_errno)(__VA_ARGS__) ?: ERR_INTERNAL)

#endif
