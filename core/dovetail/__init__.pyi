# What type checkers see of dovetail; a house test holds it against the real names.

from typing import Any

from dovetail import artifacts as artifacts
from dovetail import client as client
from dovetail import config as config
from dovetail import data as data
from dovetail import entities as entities
from dovetail import environments as environments
from dovetail import errors as errors
from dovetail import exceptions as exceptions
from dovetail import models as models
from dovetail import plugins as plugins
from dovetail import projects as projects
from dovetail import pyfunc as pyfunc
from dovetail import settings as settings
from dovetail import sklearn as sklearn
from dovetail import system_metrics as system_metrics
from dovetail import tracking as tracking
from dovetail import types as types
from dovetail import uris as uris
from dovetail import utils as utils
from dovetail import values as values
from dovetail.diagnosis import doctor as doctor
from dovetail.errors import DovetailError as DovetailError
from dovetail.errors import MlflowException as MlflowException
from dovetail.hookspecs import hookimpl as hookimpl
from dovetail.models.saving import log_model as log_model
from dovetail.projects.launch import run as run
from dovetail.registry.models import register_model as register_model
from dovetail.registry.models import search_model_versions as search_model_versions
from dovetail.registry.models import search_registered_models as search_registered_models
from dovetail.registry.models import set_model_version_tag as set_model_version_tag
from dovetail.tracking.artifacts import get_artifact_uri as get_artifact_uri
from dovetail.tracking.artifacts import load_table as load_table
from dovetail.tracking.artifacts import log_artifact as log_artifact
from dovetail.tracking.artifacts import log_artifacts as log_artifacts
from dovetail.tracking.artifacts import log_dict as log_dict
from dovetail.tracking.artifacts import log_figure as log_figure
from dovetail.tracking.artifacts import log_image as log_image
from dovetail.tracking.artifacts import log_stream as log_stream
from dovetail.tracking.artifacts import log_table as log_table
from dovetail.tracking.artifacts import log_text as log_text
from dovetail.tracking.checkpoints import import_checkpoints as import_checkpoints
from dovetail.tracking.client import Client as Client
from dovetail.tracking.client import MlflowClient as MlflowClient
from dovetail.tracking.experiments import create_experiment as create_experiment
from dovetail.tracking.experiments import delete_experiment as delete_experiment
from dovetail.tracking.experiments import delete_experiment_tag as delete_experiment_tag
from dovetail.tracking.experiments import get_experiment as get_experiment
from dovetail.tracking.experiments import get_experiment_by_name as get_experiment_by_name
from dovetail.tracking.experiments import restore_experiment as restore_experiment
from dovetail.tracking.experiments import search_experiments as search_experiments
from dovetail.tracking.experiments import set_experiment as set_experiment
from dovetail.tracking.experiments import set_experiment_tag as set_experiment_tag
from dovetail.tracking.experiments import set_experiment_tags as set_experiment_tags
from dovetail.tracking.histories import metric_history_arrays as metric_history_arrays
from dovetail.tracking.histories import sampled_metric_history as sampled_metric_history
from dovetail.tracking.housekeeping import collect_garbage as collect_garbage
from dovetail.tracking.images import Image as Image
from dovetail.tracking.importing import import_mlflow as import_mlflow
from dovetail.tracking.inputs import log_input as log_input
from dovetail.tracking.inputs import log_inputs as log_inputs
from dovetail.tracking.inputs import log_outputs as log_outputs
from dovetail.tracking.logged_models import ActiveModel as ActiveModel
from dovetail.tracking.logged_models import clear_active_model as clear_active_model
from dovetail.tracking.logged_models import create_external_model as create_external_model
from dovetail.tracking.logged_models import delete_logged_model_tag as delete_logged_model_tag
from dovetail.tracking.logged_models import finalize_logged_model as finalize_logged_model
from dovetail.tracking.logged_models import get_active_model_id as get_active_model_id
from dovetail.tracking.logged_models import get_logged_model as get_logged_model
from dovetail.tracking.logged_models import initialize_logged_model as initialize_logged_model
from dovetail.tracking.logged_models import last_logged_model as last_logged_model
from dovetail.tracking.logged_models import log_model_params as log_model_params
from dovetail.tracking.logged_models import search_logged_models as search_logged_models
from dovetail.tracking.logged_models import set_active_model as set_active_model
from dovetail.tracking.logged_models import set_logged_model_tags as set_logged_model_tags
from dovetail.tracking.measures import delete_tag as delete_tag
from dovetail.tracking.measures import log_metric as log_metric
from dovetail.tracking.measures import log_metrics as log_metrics
from dovetail.tracking.measures import log_param as log_param
from dovetail.tracking.measures import log_params as log_params
from dovetail.tracking.measures import set_tag as set_tag
from dovetail.tracking.measures import set_tags as set_tags
from dovetail.tracking.moving import move_runs as move_runs
from dovetail.tracking.operations import flush_artifact_async_logging as flush_artifact_async_logging
from dovetail.tracking.places import flush_async_logging as flush_async_logging
from dovetail.tracking.places import get_registry_uri as get_registry_uri
from dovetail.tracking.places import get_tracking_uri as get_tracking_uri
from dovetail.tracking.places import is_tracking_uri_set as is_tracking_uri_set
from dovetail.tracking.places import set_registry_uri as set_registry_uri
from dovetail.tracking.places import set_tracking_uri as set_tracking_uri
from dovetail.tracking.runs import ActiveRun as ActiveRun
from dovetail.tracking.runs import active_run as active_run
from dovetail.tracking.runs import delete_run as delete_run
from dovetail.tracking.runs import end_run as end_run
from dovetail.tracking.runs import get_parent_run as get_parent_run
from dovetail.tracking.runs import get_run as get_run
from dovetail.tracking.runs import last_active_run as last_active_run
from dovetail.tracking.runs import restore_run as restore_run
from dovetail.tracking.runs import start_run as start_run
from dovetail.tracking.search import search_runs as search_runs
from dovetail.tracking.syncing import sync as sync
from dovetail.tracking.system_metrics import disable_system_metrics_logging as disable_system_metrics_logging
from dovetail.tracking.system_metrics import enable_system_metrics_logging as enable_system_metrics_logging
from dovetail.tracking.system_metrics import set_system_metrics_node_id as set_system_metrics_node_id
from dovetail.tracking.system_metrics import (
    set_system_metrics_samples_before_logging as set_system_metrics_samples_before_logging,
)
from dovetail.tracking.system_metrics import (
    set_system_metrics_sampling_interval as set_system_metrics_sampling_interval,
)
from dovetail.values import Experiment as Experiment
from dovetail.values import Metric as Metric
from dovetail.values import Param as Param
from dovetail.values import Run as Run
from dovetail.values import Tag as Tag
from dovetail.values import ViewType as ViewType

__version__: str

# Flavors of others and the rest of the modules are found when they are used.
def __getattr__(name: str) -> Any: ...
