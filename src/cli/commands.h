// The commands of the program, each defined in a file of its own: cli/NAME.cpp.
#pragma once

#include "cli/command.h"

namespace lmpo {

extern const CommandCode kTrainCommand;
extern const CommandCode kSftCommand;
extern const CommandCode kValidateCommand;
extern const CommandCode kPlanCommand;
extern const CommandCode kInspectCommand;
extern const CommandCode kReportCommand;
extern const CommandCode kChatCommand;
extern const CommandCode kServeCommand;
extern const CommandCode kScoreCommand;
extern const CommandCode kEvalCommand;
extern const CommandCode kTokenizeCommand;
extern const CommandCode kGenerateCommand;
extern const CommandCode kPairCommand;
extern const CommandCode kEvalAlpacaCommand;
extern const CommandCode kEvalArenaCommand;
extern const CommandCode kMergeCommand;
extern const CommandCode kExportCommand;
extern const CommandCode kImportCommand;
extern const CommandCode kInitCommand;
extern const CommandCode kExampleCommand;
extern const CommandCode kDemoCommand;
extern const CommandCode kBenchCommand;
extern const CommandCode kEnvCommand;
extern const CommandCode kHelpCommand;
extern const CommandCode kDocsCommand;

}  // namespace lmpo
