// SPDX-License-Identifier: Apache-2.0
// Belongs to the precompiled headers (MysosPrecompiled.cmake); empty by design.
