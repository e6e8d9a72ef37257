# The four stages of a recipe: subwords, model, translation of the test set, score. Each leaves a file in $(OUT),
# so that make runs only what is missing or older than what it is made from.
#
# A recipe's Makefile sets, before it includes this file:
#   TRAIN, DEV        two texts (source, target), or one file of `source TAB target` lines
#   TEST_SOURCE       the text to translate
#   TEST_REFERENCE    its translation, by people
# or, where the corpus is TAB-separated, TEST instead of the last two; and where the defaults below do not fit:
#   OUT, PRESET, VOCABULARY, SUBWORDS, SOURCE_TYPE, TARGET_TYPE, METRICS, HYPOTHESES, SCORE, SCORED
#
# For the command line: SEQTRANS (the command), CORPUS (a folder of local files; without it they are downloaded),
# TRAIN_FLAGS (more flags for train). After an interruption, `make` continues the training.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules

# names that an environment may hold for reasons of its own
$(foreach name,OUT PRESET CONFIG VOCABULARY SUBWORDS SOURCE_TYPE TARGET_TYPE METRICS HYPOTHESES SCORE SCORED TEST,\
    $(if $(findstring environment,$(origin $(name))),$(eval undefine $(name))))

SEQTRANS ?= seqtrans
PYTHON ?= python3
CORPUS ?= corpus
OUT ?= out
PRESET ?= base
CONFIG ?= $(wildcard recipe.toml)
VOCABULARY ?= 4000
SOURCE_TYPE ?= char
TARGET_TYPE ?= char
METRICS ?= --metric bleu --metric chrf
TRAIN_FLAGS ?=
MODEL := $(OUT)/model.safetensors
HYPOTHESES ?= $(OUT)/test.hyp
ifdef TEST
TEST_SOURCE := $(OUT)/test.source
TEST_REFERENCE := $(OUT)/test.reference
SUBWORDS ?= --source-subwords $(OUT)/source.subwords --target-subwords $(OUT)/target.subwords
endif
SUBWORDS ?= --subwords $(OUT)/subwords.model
# what is scored, and how
SCORED ?= $(HYPOTHESES) $(TEST_REFERENCE)
SCORE ?= score $(HYPOTHESES) -r $(TEST_REFERENCE) $(METRICS)

# A file appears under its name only when it is whole.
replace = mv $@.new $@
# $(call fetch,URL) downloads a target.
fetch = curl -fsSL --retry 3 -o $@.new $(1) && $(replace)

.PHONY: all corpus train translate score clean
all: score

corpus: $(TRAIN) $(DEV) $(TEST) $(TEST_SOURCE) $(TEST_REFERENCE)

train: $(MODEL)

translate: $(HYPOTHESES)

score: $(SCORED)
	$(SEQTRANS) $(SCORE)

clean:
	rm -rf out

$(OUT)/subwords.model: $(TRAIN) | $(OUT)
	$(SEQTRANS) tokenize learn --type bpe --vocab-size $(VOCABULARY) -o $@ $(TRAIN)

$(OUT)/source.subwords: $(TRAIN) | $(OUT)
	cut -f 1 $(TRAIN) | $(SEQTRANS) tokenize learn --type $(SOURCE_TYPE) --vocab-size $(VOCABULARY) -o $@

$(OUT)/target.subwords: $(TRAIN) | $(OUT)
	cut -f 2 $(TRAIN) | $(SEQTRANS) tokenize learn --type $(TARGET_TYPE) --vocab-size $(VOCABULARY) -o $@

# Training writes its best model so far; make, which deletes the target of what was interrupted, must not know of it.
$(MODEL): $(TRAIN) $(DEV) $(filter $(OUT)/%,$(SUBWORDS)) $(CONFIG) | $(OUT)
	$(SEQTRANS) train --train $(TRAIN) --dev $(DEV) $(SUBWORDS) -o $(OUT)/training.safetensors \
	    $(strip --preset $(PRESET) $(addprefix --config ,$(CONFIG)) --resume --overwrite $(TRAIN_FLAGS))
	cp $(OUT)/training.safetensors $@.new
	$(replace)

$(HYPOTHESES): $(MODEL) $(TEST_SOURCE) | $(OUT)
	$(SEQTRANS) translate -m $(MODEL) < $(TEST_SOURCE) > $@.new
	$(replace)

$(OUT)/test.source: $(TEST) | $(OUT)
	cut -f 1 $(TEST) > $@.new
	$(replace)

$(OUT)/test.reference: $(TEST) | $(OUT)
	cut -f 2 $(TEST) > $@.new
	$(replace)

$(OUT):
	mkdir -p $@
