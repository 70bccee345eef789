// What a snapshot's folder holds and where it came from: manifest.json (docs/snapshot-format.md).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "snapshot/store/sha256.h"
#include "vmm/result/result.h"

namespace qm::snapshot {

inline constexpr std::string_view kStateName = "snapshot.capnp";
inline constexpr std::string_view kMemoryName = "memory";
inline constexpr std::string_view kManifestName = "manifest.json";

// What the machine was made from. Digests are SHA-256 in hexadecimal.
struct Provenance {
  std::string cpuTemplate;
  std::string kernelSha256;
  std::string initrdSha256;                        // empty: none
  std::map<std::string, std::string> imageSha256;  // disks, by drive id
  bool operator==(const Provenance&) const = default;
};

struct Manifest {
  Provenance provenance;
  std::string quickmatchVersion;
  std::string created;  // UTC, as 2025-01-31T12:34:56Z
  FileDigest state;
  FileDigest memory;
  bool operator==(const Manifest&) const = default;
};

// The file's text, with its own digest in it, and that digest: the snapshot's name is its beginning.
struct SealedManifest {
  std::string text;
  std::string sha256;
};
SealedManifest sealManifest(const Manifest& manifest);

// The manifest and its digest, if the text has it; else fixInput with what to do.
struct CheckedManifest {
  Manifest manifest;
  std::string sha256;
};
Result<CheckedManifest> checkManifest(std::string_view text);

// Of a published folder. The other files are not looked at: Store::verify does.
Result<CheckedManifest> readManifest(const std::filesystem::path& folder);

}  // namespace qm::snapshot
